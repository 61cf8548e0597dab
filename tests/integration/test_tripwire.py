"""The tripwire over real backups: a mass change and a shrinking set freeze retention."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from opsd.errors import Refused
from opsd.keeping import Cause
from opsd.model import Outcome, Severity, Status
from opsd.policy import anomaly
from opsd.policy.freshness import judge
from opsd.tasks import keeping, status
from opsd.tasks.backup import back_up
from opsd.tasks.check import own
from opsd.tasks.retain import retain
from tests.season import SET, Season, judged, word

FILES = 40
QUIET = "{min_age: 36h, min_points: 2}"


def test_a_tree_that_is_encrypted_freezes_retention_and_never_the_backup(season: Season) -> None:
    scans, chance = season.base / "scans", random.Random(1)
    for k in range(FILES):
        (scans / f"old-{k}.txt").write_text(f"dossier {k}\n" * 700)
    with season.kit(QUIET) as kit:
        for _ in range(anomaly.ENOUGH):
            point = season.night(kit)
        judged(kit, point)
        assert not kit.store.freezes(SET)
        for path in sorted(scans.glob("*.txt")):
            path.write_bytes(chance.randbytes(8000))
        season.passed += timedelta(days=1)
        done = back_up(kit, SET)
        assert done.closing.outcome is Outcome.SUCCEEDED
        odd = {f.key for f in done.closing.findings if f.severity is Severity.CHANGE}
        assert {"anomaly.changed", "anomaly.scrambled"} <= odd
        frozen = kit.store.freezes(SET)
        assert [(f.cause, f.said.key) for f in frozen] == [(Cause.ANOMALY, "anomaly.scrambled")]
        assert done.point is not None
        judged(kit, done.point)
        with pytest.raises(Refused, match="anomaly"):
            retain(kit, SET)
        assert judge(status.observe(kit, SET)).data is Status.CRITICAL
        assert [(r.status, r.cause) for r in own.backups(kit).results] == [
            (Status.CRITICAL, "data")
        ]
        keeping.acknowledge(kit, SET, word(kit))
        assert judge(status.observe(kit, SET)).data is Status.OK
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        # a usual night afterwards is usual again; files that go are not
        assert not [f for f in back_up(kit, SET).closing.findings if "anomaly" in f.key]
        for path in sorted(scans.glob("old-*.txt"))[: FILES // 2]:
            path.unlink()
        season.passed += timedelta(days=1)
        keys = {f.key for f in back_up(kit, SET).closing.findings}
        assert "anomaly.fewer" in keys
        assert judge(status.observe(kit, SET)).data is Status.WARNING
        for path in sorted(scans.glob("*.txt"))[: FILES // 2]:
            path.unlink()
        season.passed += timedelta(days=1)
        back_up(kit, SET)
        assert judge(status.observe(kit, SET)).data is Status.CRITICAL, "most of it is gone"
