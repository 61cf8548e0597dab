"""A handful of kills over continuous nights: the short form of `tests/soak/test_crash_loop.py`."""

from tests.faults.crashing import crashing, truth
from tests.site import Site


def test_every_acknowledged_point_restores_and_proves_after_some_kills(ward: Site) -> None:
    with crashing(ward, seed=4) as loop:
        loop.kill(("restic", "opsd"))
        found = truth(ward, last=1)
    assert found.wrong == ()
    assert (loop.killed.total(), loop.killed["opsd"] >= 2) == (3, True)
    assert found.proved == 1
