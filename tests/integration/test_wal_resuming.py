"""What lies in a receiver's directory and keeps it from beginning is moved out of its way."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psycopg

from opsd.demo.psql import ask
from opsd.model import Outcome
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.planning import Goal, Ways
from opsd.wal import SEGMENT_BYTES, position
from tests.logs import (
    WAL,
    a_moment_apart,
    begins_a_new_timeline,
    guarded,
    held_until_now,
    hit,
    objects,
    sql,
    until,
    watched,
    with_log,
)
from tests.site import Site

SHORT = 1 << 20  # bytes, less than a segment
WAYS = Ways(throwaway=True, here=False)


def test_a_file_that_a_receiver_had_not_made_to_its_end_keeps_it_from_nothing(site: Site) -> None:
    """A kill, a loss of power or a full disk leaves a file that pg_receivewal itself refuses."""
    with guarded(with_log(site), leave=True) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
    padding, cut = (newest(place) for place in log.directories.values())
    padding.write_bytes(b"\0" * SHORT)
    os.truncate(cut, SHORT)
    held = cut.read_bytes()
    assert any(held)
    site.system.cluster.start()
    with watched(site) as (kit, log, heard):
        until(lambda: heard.cause(log.subject) == "", 30)
        sql(site, "INSERT INTO moments VALUES ('after')")
        held_until_now(heard)
        assert padding.stat().st_size == cut.stat().st_size > SHORT
        assert not list(padding.parent.glob("aside-*"))
        (aside,) = cut.parent.glob("aside-*/*")
        assert aside.read_bytes() == held
        planned = planning.plan(log, Goal("now"), site.base / "back", WAYS)
        with recovering.recovered(kit, planned, WAYS) as (done, server):
            assert done.good
            rows = ask(server.connection("dossiers"), "SELECT said FROM moments")
            assert rows == [("before",), ("after",)]


def test_a_timeline_that_was_left_between_two_segments_is_followed(site: Site) -> None:
    server = site.system.cluster
    with guarded(with_log(site), leave=True) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
    server.start()
    with psycopg.connect(site.system.connection, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute("INSERT INTO moments VALUES ('kept')")
        connection.execute("SELECT pg_switch_wal()")
        server.stop(signal.SIGQUIT)
    copy = site.base / "copy"
    subprocess.run(["cp", "-a", server.data, copy], check=True)
    server.start()
    with watched(site) as (_, log, heard):
        until(lambda: heard.cause(log.subject) == "", 30)
        sql(site, "INSERT INTO moments VALUES ('abandoned')")
        held_until_now(heard)
        begins_a_new_timeline(site, copy)
        history = server.data / "pg_wal" / "00000002.history"
        assert position(history.read_text().split()[1]) % SEGMENT_BYTES == 0
        for place in log.directories.values():
            until(lambda: list(place.glob("00000002*.partial")), 30)  # noqa: B023
        until(lambda: heard.cause(log.subject) == "", 30)
        sql(site, "INSERT INTO moments VALUES ('after')")
        held_until_now(heard)
        planned = planning.plan(log, Goal("now"), site.base / "back", WAYS)
        with recovering.recovered(log.kit, planned, WAYS) as (done, recovered):
            assert done.good
            rows = ask(recovered.connection("dossiers"), "SELECT said FROM moments")
            assert rows == [("before",), ("kept",), ("after",)]


def test_what_receivers_have_before_the_server_dropped_what_comes_next_is_still_shipped(
    site: Site,
) -> None:
    """A repository that did not answer meanwhile takes it when it is back."""
    small = WAL.replace("slot_limit: 1GiB", "slot_limit: 32MiB")
    with guarded(with_log(site, wal=small)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        away = site.repository.rename(site.base / "away")
        site.repository.touch()  # no directory
        until(lambda: heard.cause(f"{log.subject}@main") == "not_shipped")
        sql(site, "INSERT INTO moments VALUES ('kept')")
        ((whole,),) = sql(site, "SELECT pg_walfile_name(pg_switch_wal())")
        sql(site, "INSERT INTO moments VALUES ('under way')")
        ((at,),) = sql(site, "SELECT pg_current_wal_lsn()")
        a_moment_apart()
        mine = [f"{log.subject}/{name}" for name in log.directories]
        loses_its_place(site)
        until(lambda: all(heard.cause(one) == "slot_lost" for one in mine))
        sql(site, "SET synchronous_commit = local; ALTER ROLE opsd_wal LOGIN")
        until(lambda: all(heard.cause(one) == "" for one in mine))

        site.repository.unlink()
        away.rename(site.repository)
        until(lambda: heard.cause(f"{log.subject}@main") == "gap")
        until(lambda: whole in objects(site))
        # It begins in the middle of the segment that was under way, and not where zeros end.
        begin = heard.results[f"{log.subject}@main"].fields["begin"]
        assert position(at) < position(str(begin)) < position(at) + SHORT
        goal = Goal("lsn", lsn=position(at))
        planned = planning.plan(log, goal, site.base / "back", WAYS)
        with recovering.recovered(kit, planned, WAYS) as (done, recovered):
            assert done.good
            rows = ask(recovered.connection("dossiers"), "SELECT said FROM moments")
            assert rows == [("before",), ("kept",), ("under way",)]
        # A new base copy is all that it takes.
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)


def loses_its_place(site: Site) -> None:
    """The server gives up what receivers that are away have not received."""
    sql(site, "ALTER ROLE opsd_wal NOLOGIN")
    hit(site, signal.SIGKILL)
    with psycopg.connect(site.system.connection, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        for _ in range(40):
            connection.execute("INSERT INTO moments VALUES ('meanwhile')")
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            lost = connection.execute("SELECT wal_status FROM pg_replication_slots").fetchall()
            if set(lost) == {("lost",)}:
                return
    raise AssertionError(lost)


def newest(place: Path) -> Path:
    """The file that a receiver writes."""
    (file,) = place.glob("*.partial")
    return file
