"""Somebody sets the clock of the machine: the real daemon goes on, and cries no wolf."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import timedelta
from functools import partial

from opsd.assembly import STORE
from opsd.clock import now
from opsd.config.checks import Checks
from opsd.store import Cases
from tests.integration.test_daemon import Daemon, Place, eventually
from tests.site import workplace

HOUR = timedelta(hours=1)
TICK = "opsd_scheduler_last_tick_timestamp_seconds"
ANSWER = 'opsd_check_last_answer_timestamp_seconds{check="load",host="local",subject=""}'
NEAR = 5.0


def near(daemon: Daemon, offset: timedelta, *metrics: str) -> bool:
    """Whether what the metrics tell of is just now by the clock of the daemon."""
    there = (now() + offset).timestamp()
    told = [daemon.metric(metric) for metric in metrics]
    return all(at is not None and abs(at - there) < NEAR for at in told)


def test_rounds_and_ticks_go_on_when_the_clock_is_set() -> None:
    with workplace() as base:
        (base / "tree").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        wall = base / "wall"
        wall.write_text("0")
        place = Place(base, program=("tests.moved_clock", str(wall)))
        place.configure(one="01:00")
        checks: dict[str, object] = {name: {"enabled": False} for name in Checks.model_fields}
        # Others load the machine: that is no wolf.
        checks["load"] = {"interval": "1s", "warning": 1000.0, "critical": 2000.0}
        with place.config.open("a", encoding="utf-8") as file:
            file.write(f"hosts: {{local: {{}}}}\nchecks: {json.dumps(checks)}\n")
        with place.ready() as daemon:
            for offset in (timedelta(), -HOUR, HOUR):
                (base / "new").write_text(f"{offset.total_seconds()}")
                (base / "new").rename(wall)
                for _ in range(2):  # and it stays so
                    eventually(partial(near, daemon, offset, TICK, ANSWER), f"at {offset}", 20)
                    time.sleep(1.2)
            assert daemon.logged("the wall clock was set by")
            assert not daemon.logged("not well")
            assert not daemon.logged("opsd itself failed")
            assert daemon.end() == 0
        with closing(Cases(base / "state" / STORE)) as cases:
            assert not cases.incidents(now() - 3 * HOUR)
            assert "unheard" not in {flip.cause for flip in cases.flips(now() - 3 * HOUR)}
