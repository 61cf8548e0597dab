"""Two nodes share 1,000 slots, one of them is killed again and again: each slot is done once."""

from pathlib import Path

import pytest

from tests.sharing import Scene, share
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")


def test_a_thousand_slots_are_done_once_each(stores: Stores, tmp_path: Path) -> None:
    shared = share(stores, tmp_path, Scene(slots=1_000, kills=25))
    print(shared)
    assert shared.wrong == []
    assert shared.kills >= 20
    assert shared.cut_short > 0
