"""A season of nights for those who ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.season import Season, begun


@pytest.fixture
def season() -> Iterator[Season]:
    """A set that was never backed up, and a clock that begins now."""
    with begun() as made:
        yield made
