"""A PostgreSQL server and its standby as probes see them, while this and that fails."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsd.demo.psql import ask
from opsd.drivers.cluster import DURABLE, Cluster, binaries, newest
from opsd.drivers.process import become
from opsd.model import CheckResult, Status
from tests.probing import made, probed
from tests.site import workplace

PATIENCE = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[Cluster, Cluster]]:
    """A primary and a standby that it feeds."""
    with workplace() as base:
        settings = {**DURABLE, "fsync": "off", "max_wal_senders": "4"}
        primary = Cluster(base / "primary", newest(), settings=settings)
        standby = Cluster(base / "standby", newest(), settings=settings)
        primary.create()
        primary.start()
        try:
            standby.directory.mkdir()
            owner = primary.directory.stat()
            os.chown(standby.directory, owner.st_uid, owner.st_gid)
            program = str(binaries(newest()) / "pg_basebackup")
            copy = (program, "-D", str(standby.data), "-R", "-c", "fast", "-d")
            subprocess.run(
                ("setpriv", *become("postgres"), "--", *copy, primary.connection()),
                check=True,
                timeout=60,
            )
            standby.start()
            yield primary, standby
        finally:
            standby.stop()
            primary.stop()


def asked(cluster: Cluster, **options: Any) -> CheckResult:
    probe = made("postgres", connection=cluster.connection(), timeout="4s", **options)
    return probed(probe, slack=2.5)[1][0]


def becomes(cause: str, look: Callable[[], CheckResult]) -> CheckResult:
    """The result once it has this cause."""
    end = time.monotonic() + PATIENCE
    while (found := look()).cause != cause and time.monotonic() < end:
        time.sleep(0.2)
    assert found.cause == cause
    return found


def test_a_standby_is_seen_to_fall_behind_to_catch_up_and_to_be_cut_off(
    pair: tuple[Cluster, Cluster],
) -> None:
    primary, standby = pair

    def of_standby() -> CheckResult:
        return asked(standby, standby=True, max_lag="2s")

    becomes("", lambda: asked(primary, standby=False, min_standbys=1, max_lag="1m"))
    becomes("", of_standby)
    assert asked(primary, min_standbys=2).cause == "replication_few"
    assert asked(standby, standby=False).cause == "replication_role"

    ask(standby.connection(), "SELECT pg_wal_replay_pause()")
    ask(primary.connection(), "CREATE TABLE behind AS SELECT 1")
    late = becomes("replication_late", of_standby)
    assert late.status is Status.CRITICAL
    told = {one.metric: one.value for one in late.measurements}
    assert told["opsd_probe_replication_lag_seconds"] > 2
    ask(standby.connection(), "SELECT pg_wal_replay_resume()")
    becomes("", of_standby)

    primary.stop()
    becomes("replication_stopped", of_standby)
    assert asked(primary).cause == "connect_refused"
    ask(standby.connection(), "SELECT pg_promote()")
    becomes("replication_role", of_standby)
