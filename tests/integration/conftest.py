"""What integration tests ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from opsd.tasks.wal import shipping
from tests.season import Season, begun


@pytest.fixture
def season() -> Iterator[Season]:
    """A set that was never backed up, and a clock that begins now."""
    with begun() as made:
        yield made


@pytest.fixture
def listed_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What vanishes from a repository is seen in seconds; in life its list is read each 20 s."""
    monkeypatch.setattr(shipping, "_LISTED_FOR", timedelta(seconds=3))
