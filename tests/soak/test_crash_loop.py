"""200 times `kill -9` of opsd, of restic, and of the databases under it, over continuous nights."""

from tests.faults.crashing import crashing, truth
from tests.faults.sweep import tiny

RETAINED = {"    rto: 4h\n": "    rto: 4h\n    retention: {min_age: 30s, min_points: 12}\n"}
KILLS = 200


def test_every_acknowledged_point_restores_and_proves_after_two_hundred_kills() -> None:
    with tiny(RETAINED) as site, crashing(site, seed=11) as loop:
        loop.run(KILLS)
        found = truth(site)
        print(loop.killed, found)
        assert found.wrong == ()
        assert loop.killed.total() >= KILLS
        assert min(loop.killed.values()) > 0
        assert found.cut_short > KILLS // 10
        assert found.proved >= 12
