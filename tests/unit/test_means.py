"""What a night may take: the bound of a cache, the memory of a prune, restic's rates."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsd.drivers import system
from opsd.drivers.restic import Bounds
from opsd.drivers.system import Stored
from opsd.policy import means
from opsd.policy.means import Fit

GIB = 1 << 30


def test_what_lay_unused_longest_goes_until_the_rest_keeps_to_the_bound() -> None:
    files = [Stored(Path(f"/c/{n}"), 10, used=n) for n in range(5)]
    assert [one.used for one in means.beyond(files, 25)] == [2, 1, 0]
    assert means.beyond(files, 50) == ()
    assert len(means.beyond(files, 0)) == 5


@pytest.mark.parametrize(
    ("needed", "fit"), [(GIB // 2, Fit.WELL), (GIB * 8 // 10, Fit.BARELY), (GIB + 1, Fit.NOT)]
)
def test_a_prune_that_does_not_fit_is_known_before(needed: int, fit: Fit) -> None:
    assert means.fits(needed, GIB) is fit


def test_a_larger_index_needs_more() -> None:
    assert means.prune_memory(0) < means.prune_memory(1 << 20) < means.prune_memory(1 << 30)


def test_restic_is_told_its_rates_and_its_memory() -> None:
    assert Bounds().options == ()
    assert Bounds().env == {}
    bounds = Bounds(upload=2 << 20, download=100, memory=GIB)
    assert bounds.options == ("--limit-upload=2048", "--limit-download=1")
    assert bounds.env == {"GOMEMLIMIT": str(GIB)}


def test_the_memory_of_a_bounded_group_counts(tmp_path: Path) -> None:
    free = system.memory_free(tmp_path)
    assert free > 0
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert system.memory_free(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert system.memory_free(tmp_path) > 1000


def test_files_are_found_with_their_sizes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("four")
    assert [(one.path.name, one.size) for one in system.files_below(tmp_path)] == [("b", 4)]
