"""Base copies that hold only what changed, with a real server of PostgreSQL 17."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from opsd.demo.system import DossierSystem
from opsd.drivers import cluster
from opsd.model import Outcome
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from tests.faults.telling import empty_repository
from tests.logs import guarded, held_until_now, sql, with_log
from tests.site import ROOT, SMALL, Site, workplace

SEVENTEEN = ROOT / ".tools" / "postgresql" / "usr" / "lib" / "postgresql" / "17"


@pytest.mark.timeout(900)
def test_copies_that_build_on_each_other_come_back_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with workplace() as base:
        (base / "lib").mkdir()
        (base / "lib" / "17").symlink_to(SEVENTEEN)
        monkeypatch.setattr(cluster, "_DEBIAN_ROOT", base / "lib")
        empty_repository(base / "repository")
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        system = DossierSystem(base / "system", SMALL)
        system.create()
        system.start()
        site = Site(base, system)
        place = base / "elsewhere"
        place.mkdir()
        shutil.chown(place, cluster.SERVER_ACCOUNT)
        with guarded(with_log(site, "          cache_bases: true\n")) as (kit, log, heard):
            sql(site, f"CREATE TABLESPACE more LOCATION '{place}'")
            sql(site, "CREATE TABLE moments (number int) TABLESPACE more")
            added = []
            for _ in range(3):
                sql(site, "INSERT INTO moments SELECT 1 FROM generate_series(1, 10)")
                closing = take_base(kit, log)
                assert closing.outcome is Outcome.SUCCEEDED, closing.findings
                assert not closing.findings
                told = kit.store.evidence(closing.run, "base")
                assert told
                added.append(told["bytes"])
            print("bytes of the copies:", added)
            assert max(added[1:]) < added[0] / 4
            found = bases(log, "main")
            assert [one.parent for one in found] == ["", found[0].id, found[1].id]
            sql(site, "INSERT INTO moments SELECT 9 FROM generate_series(1, 10)")
            held_until_now(heard)
            closing = replay(kit, log)
            assert closing.outcome is Outcome.PASSED, closing.findings
            target, alone = base / "back", Ways(here=False, throwaway=True)
            assert rows(planning.plan(log, Goal("now"), target, alone), alone) == 40
            # All three are at hand, and not fetched.
            (site.repository / "data").rename(site.base / "away")
            ways = Ways(throwaway=True)
            planned = planning.plan(log, Goal("now"), base / "here", ways)
            assert planned.is_at_hand
            assert rows(planned, ways) == 40
            (site.base / "away").rename(site.repository / "data")
            # Over what lies there, which is made anew from its parts.
            over = Ways(throwaway=True, delta=True)
            goal = Goal("lsn", lsn=found[2].stop)
            assert rows(planning.plan(log, goal, target, over), over) == 30


def rows(planned: planning.Planned, ways: Ways) -> int:
    """How many rows there are, as recovered."""
    assert len(planned.line) == 3
    log = planned.log
    with (
        recovering.recovered(log.kit, planned, ways) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good
        place = connection.execute(
            "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'more'"
        ).fetchall()[0][0]
        assert Path(place).is_relative_to(planned.target)
        return int(connection.execute("SELECT count(*) FROM moments").fetchall()[0][0])
