"""Four hundred days."""

from __future__ import annotations

from opsd.model import Outcome
from opsd.tasks import audit
from opsd.tasks.prove import prove
from tests.integration.conftest import season
from tests.season import SET, Season
from tests.year import RULES, ZONE, Year

__all__ = ["season"]


def test_four_hundred_days(season: Season) -> None:
    with season.kit(RULES, zone=ZONE) as kit:
        year = Year(season, kit, days=400)
        year.go_through()
        year.insist()
        assert year.dropped > 300
        assert audit.verify(kit, [SET]).breach is None
        assert prove(kit, SET).closing.outcome is Outcome.PASSED
