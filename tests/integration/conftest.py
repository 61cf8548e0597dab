"""A season of nights for those who ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsd.clock import now
from tests.faults.telling import empty_repository
from tests.season import Season
from tests.site import workplace


@pytest.fixture
def season() -> Iterator[Season]:
    """A set that was never backed up, and a clock that begins now."""
    with workplace() as base:
        (base / "scans").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        empty_repository(base / "repository")
        yield Season(base, now())
