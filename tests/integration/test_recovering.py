"""Recovery to a moment, a name and just before a table was dropped, of a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from opsd.demo.psql import ask
from opsd.drivers import cluster
from opsd.errors import Refused, RepositoryDamaged, UsageError
from opsd.model import Outcome, Task
from opsd.tasks.backup import back_up
from opsd.tasks.journal import opened
from opsd.tasks.kit import Kit
from opsd.tasks.wal import comparing, dropping, planning, recovering
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from opsd.tasks.wal.rereading import NIGHTS, reread
from opsd.wal import written
from tests.logs import (
    Heard,
    a_moment_apart,
    busy,
    finished,
    guarded,
    held_until_now,
    objects,
    sql,
    until,
    with_log,
)
from tests.site import SET, Site

QUICK = Ways(throwaway=True)

ODD = "it's %f 100%"  # what shells and servers may trip over


def rows(server: cluster.Cluster) -> int:
    """How many rows the table has; whatever would hang the server is cleared."""
    with psycopg.connect(server.connection("dossiers")) as connection:
        assert connection.execute("SHOW synchronous_standby_names").fetchall() == [("",)]
        # No subscription takes from a publisher what the lost server has not had.
        asked = connection.execute("SHOW max_logical_replication_workers")
        assert asked.fetchall() == [("0",)]
        return int(connection.execute("SELECT count(*) FROM moments").fetchall()[0][0])


def other_tables_are_told(kit: Kit, log: Log, server: cluster.Cluster) -> None:
    """At another moment than the dump's the comparison sees the difference."""
    (dump,) = comparing.dumps(log, bases(log, "main"))
    with opened(kit, Task.REPLAY, SET, "main") as journal:
        comparing.compare(journal, log, dump, server)
    keys = {finding.key for finding in journal.faults}
    assert keys == {"proof.rows_differ", "replay.paths_differ"}


def test_a_second_and_a_name_come_back_with_exactly_their_rows(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT generate_series(1, 10) AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "INSERT INTO moments SELECT generate_series(1, 10)")
        second = a_moment_apart()
        sql(site, "INSERT INTO moments SELECT generate_series(1, 10)")
        sql(site, "SELECT pg_create_restore_point('before_upgrade')")
        with busy(site, "INSERT INTO moments VALUES (0)"):
            point = back_up(kit, SET).point
        held_until_now(heard)

        closing = replay(kit, log)
        assert closing.outcome is Outcome.PASSED, closing.findings
        told = kit.store.evidence(closing.run, "replayed")
        assert told
        assert told["tables"] > 5
        read = kit.store.evidence(closing.run, "reread")
        assert read
        assert (read["member"], read["repository"], read["nights"]) == (log.name, "main", 1)
        # On its way it stood where the dump was taken, and had the same in every table.
        compared = kit.store.evidence(closing.run, "compared")
        assert compared
        assert point
        assert (compared["point"], compared["same"]) == (point.id, True)
        assert compared["tables"] > 5
        assert "public.web_session" in compared["unlogged"]

        place = site.base / "back"
        foretold_as_planned(log, heard, place / "now")

        paused = replace(QUICK, promote=False)
        planned = planning.plan(log, Goal("time", time=second), place / ODD, paused)
        with recovering.recovered(kit, planned, paused) as (done, server):
            assert done.good
            assert rows(server) == 20
            other_tables_are_told(kit, log, server)
        name = Goal("name", name="before_upgrade")
        with recovering.further(kit, planned, name, QUICK) as (stands, server):
            assert not stands.recovering
            assert rows(server) == 30
        refused_before_anything_is_written(site, log, place, planned)


def refused_before_anything_is_written(
    site: Site, log: Log, place: Path, planned: planning.Planned
) -> None:
    """Goals that the log does not lead to, and targets of no use, however they are named."""
    reached, end = planned.goal.time, planned.chain.end
    assert reached
    day = timedelta(days=1)
    for goal, why in (
        (Goal("time", time=reached - 9 * day), "no base copy is old enough"),
        (Goal("time", time=reached + day), "before the goal"),
        (Goal("lsn", lsn=end + (1 << 30)), "before the goal"),
    ):
        with pytest.raises(UsageError, match=why):
            planning.plan(log, goal, place / "new")
    assert planning.plan(log, Goal("lsn", lsn=end), place / "new").chain.end >= end
    data, link = site.system.cluster.data, site.base / "link"
    link.symlink_to(data)
    for target, why in (
        (place / ODD, "not empty"),
        (place / "one, two", "shorter, plainer name"),
        (place / ("long" * 20), "has more than 93 bytes"),
        (data, "server runs"),
        (link, "server runs"),
        (link / "inside", "lies in the data directory"),
        (site.base / "password" / "back", "is no directory that"),
    ):
        with pytest.raises(Refused, match=why):
            planning.plan(log, Goal("now"), target)


def foretold_as_planned(log: Log, heard: Heard, target: Path) -> None:
    """What is told of a recovery's time is what its plan reckons with."""
    expected = planning.plan(log, Goal("now"), target, Ways(here=False)).expected
    metric = "opsd_wal_recovery_predicted_duration_seconds"
    until(lambda: heard.figure(metric))
    foretold = timedelta(seconds=heard.figure(metric, repository="main") or 0)
    assert expected / 2 < foretold <= expected  # which counts whole segments


def test_a_dropped_table_comes_back_as_it_was_just_before_and_files_with_it(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        first = back_up(kit, SET).point
        assert first
        # Younger than the base copy, and written anew before it is dropped.
        sql(site, "CREATE TABLE moments AS SELECT generate_series(1, 10) AS number")
        sql(site, "VACUUM FULL moments")
        sql(site, "INSERT INTO moments SELECT generate_series(1, 10)")
        kept, ((lost, code),) = lose_files(site)
        sql(site, "DROP TABLE moments")
        second = back_up(kit, SET).point
        assert second
        held_until_now(heard)
        lsn = dropping.find(kit, log, "moments", site.base / "back")
        # Left for whoever takes it over: promoted, stopped, and waiting for nobody.
        target = site.base / "back"
        ways = Ways(files=True, digests=True)
        planned = planning.plan(log, Goal("before", lsn=lsn), target, ways)
        done = recovering.recorded(kit, planned, ways)
        assert done.good, done.findings
        # The files are those of the first point after it; what was removed in between came from the
        # one before, and what is nowhere is told by the code of its dossier.
        assert done.tables
        assert done.tables[log.database_name]["public.moments"][0] == 20
        assert done.files
        assert done.files.point.id == second.id
        assert done.files.older == 1
        assert (target / "files" / "scans" / kept).exists()
        assert [(one.code, one.path) for one in done.files.strays] == [(code, lost)]
        assert f"{code},{lost},missing" in (target / "not-reconciled.csv").read_text()
        assert not (target / DATA / "recovery.signal").exists()
        assert "ANY 1" not in (target / DATA / "postgresql.auto.conf").read_text()
        assert not (target / "wal").exists()
        assert [line.kind for line in kit.store.lines()][-1] == "recover"
    server = cluster.Cluster(target, cluster.newest())
    server.start()
    try:
        asked = ask(server.connection(log.database_name), "SELECT count(*) FROM moments")
        assert asked == [("20",)]
    finally:
        server.stop()
    over_what_lies_there(site, log, target)
    from_the_repository_alone(site, written(lsn), done.tables[log.database_name])


def lose_files(site: Site) -> tuple[str, list[tuple[str, str]]]:
    """Remove a file that the database names, and name one that never was."""
    ((kept,),) = sql(site, "SELECT path FROM attachment ORDER BY path LIMIT 1")
    (site.system.scans / kept).unlink()
    return kept, [
        (lost, code)
        for lost, code in sql(
            site,
            "WITH added AS (INSERT INTO attachment (dossier_id, path, size, sha256, media_type,"
            " uploaded_at) SELECT dossier_id, 'never/was.pdf', 1, sha256, media_type, now()"
            " FROM attachment LIMIT 1 RETURNING path, dossier_id)"
            " SELECT path, code FROM added JOIN dossier ON id = dossier_id",
        )
    ]


def from_the_repository_alone(site: Site, lsn: str, tables: Mapping[str, tuple[int, str]]) -> None:
    """Without configuration, history and receivers: the same in every table that is left."""
    shutil.rmtree(site.base / "wal")
    (site.base / "nothing").mkdir()
    target = site.base / "alone"
    words = ("recover", SET, "--to", lsn, "--target", str(target), "--digests", "--json")
    where = ("--repository-url", str(site.repository), "--password-file")
    done = subprocess.run(
        [sys.executable, "-m", "opsd", *words, *where, str(site.base / "password")],
        cwd=site.base / "nothing",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / DATA / "PG_VERSION").exists()
    assert (target / "files" / "scans").exists()
    told = json.loads(done.stdout)["recovered"]["tables"]
    before = {name: list(found) for name, found in tables.items()}
    assert before.pop("public.moments")  # the position is that of its end
    assert before in told.values()


def over_what_lies_there(site: Site, log: Log, target: Path) -> None:
    """A cluster that lies there is brought to another moment; only what differs is written."""
    (target / DATA / "base" / "foreign").write_text("left by somebody")
    unchanged = (target / DATA / "PG_VERSION").stat().st_ino
    with site.kit() as kit:
        log = Log(kit, log.backup_set, log.name, log.member, log.wal)
        with pytest.raises(Refused, match="not empty"):
            planning.plan(log, Goal("now"), target)
        over = Ways(delta=True, throwaway=True)
        planned = planning.plan(log, Goal("now"), target, over)
        with (
            recovering.recovered(kit, planned, over) as (done, server),
            psycopg.connect(server.connection(log.database_name)) as connection,
        ):
            assert done.good
            gone = connection.execute("SELECT to_regclass('moments')").fetchall()
            assert gone == [(None,)]
            with pytest.raises(Refused, match="server runs"):
                planning.plan(log, Goal("now"), target, over)
        assert (target / DATA / "PG_VERSION").stat().st_ino == unchanged
        assert not (target / DATA / "base" / "foreign").exists()
        assert (target / "files" / "scans").exists()
        (target / planning.HBA).unlink()
        with pytest.raises(Refused, match="not put there by opsd"):
            planning.plan(log, Goal("now"), target, over)
        planning.plan(log, Goal("now"), target, replace(over, over_live=True))
        shutil.rmtree(target / DATA / "global")
        with pytest.raises(Refused, match="no cluster of this server"):
            planning.plan(log, Goal("now"), target, replace(over, over_live=True))


def test_what_is_damaged_or_gone_is_said_before_anything_is_written(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        take_base(kit, log)
        for _ in range(3):
            sql(site, "CREATE TABLE IF NOT EXISTS rows AS SELECT generate_series(1, 1000)")
            sql(site, "INSERT INTO rows SELECT generate_series(1, 1000)")
            sql(site, "SELECT pg_switch_wal()")
        until(lambda: len(finished(site)) >= 3)
        at = datetime.now(UTC)
        held_until_now(heard)
    alone = Ways(here=False, throwaway=True)
    middle = objects(site)[finished(site)[-2]]
    content = bytearray(middle.read_bytes())
    content[len(content) // 2] ^= 1
    middle.write_bytes(bytes(content))
    with site.kit() as kit:
        log = Log(kit, log.backup_set, log.name, log.member, log.wal)
        planned = planning.plan(log, Goal("now"), site.base / "back", alone)
        # Whoever reads it again finds it, each segment in one of seven nights.
        nights = [reread(log, planned.stock, "main", [night]) for night in range(NIGHTS)]
        damaged = reread(log, planned.stock, "main", range(3, 3 + NIGHTS)).damaged
        assert [segment.name() for segment in damaged] == [middle.name]
        assert [one for night in nights for one in night.damaged] == list(damaged)
        assert sum(night.segments for night in nights) == len(finished(site))
        with recovering.recovered(kit, planned, alone) as (done, _):
            assert [finding.fields["name"] for finding in done.findings] == [middle.name]
            assert not done.good
        middle.unlink()
        with pytest.raises(RepositoryDamaged, match="lacks"):
            planning.plan(log, Goal("time", time=at), site.base / "elsewhere", alone)
        # The receivers of this machine still have it.
        assert planning.plan(log, Goal("time", time=at), site.base / "elsewhere").chain.end
