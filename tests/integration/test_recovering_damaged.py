"""Segments of the log that are not what they were: no recovery ends in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsd.demo.psql import ask
from opsd.errors import RepositoryDamaged
from opsd.model import Outcome
from opsd.policy.wal import filled
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import logs_of
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import a_moment_apart, guarded, held_until_now, objects, sql, with_log
from tests.site import SET, Site

QUICK = Ways(throwaway=True)


def test_a_damaged_segment_is_taken_from_elsewhere_and_ends_no_recovery_in_silence(
    site: Site,
) -> None:
    with guarded(with_log(site), leave=True) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 0 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "INSERT INTO moments VALUES (1)")
        sql(site, "SELECT pg_switch_wal()")
        ((name,),) = sql(site, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        sql(site, "INSERT INTO moments SELECT generate_series(1, 5000)")
        for _ in range(2):
            sql(site, "SELECT pg_switch_wal()")
            sql(site, "INSERT INTO moments VALUES (2)")
        moment = a_moment_apart()
        sql(site, "INSERT INTO moments VALUES (3)")
        held_until_now(heard)
    with site.kit() as kit:  # nobody sends again what is missing
        (log,) = logs_of(kit, SET)
        received = [place / name for place in log.directories.values()]
        good = received[0].read_bytes()

        def recover(to: Goal, place: str) -> tuple[str, set[str]]:
            planned = planning.plan(log, to, site.base / place, QUICK)
            with recovering.recovered(kit, planned, QUICK) as (done, server):
                ((rows,),) = ask(server.connection("dossiers"), "SELECT count(*) FROM moments")
                return rows, {finding.key for finding in done.findings}

        # Every page is in its place, and a record in one of them is not what it was.
        for path in received:
            spoil(path)
        assert recover(Goal("now"), "now") == ("5005", set())
        assert recover(Goal("time", time=moment), "then") == ("5004", set())

        # What is good with one receiver alone is taken from there.
        objects(site)[name].unlink()
        received[1].write_bytes(good)
        assert recover(Goal("now"), "one") == ("5005", set())

        # Good nowhere: what was before it comes back, and is not called good.
        spoil(received[1])
        assert recover(Goal("now"), "before") == ("2", {"recover.segment"})
        with pytest.raises(RepositoryDamaged, match=name):
            recover(Goal("time", time=moment), "never")


def test_a_damaged_record_near_the_end_of_the_log_is_not_taken_for_its_end(site: Site) -> None:
    with guarded(with_log(site), leave=True) as (kit, log, _):
        sql(site, "CREATE TABLE moments AS SELECT 0 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        ((name, at),) = sql(
            site, "SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
        )
        sql(site, "INSERT INTO moments VALUES (1)")
        sql(site, "INSERT INTO moments VALUES (2)")
    with site.kit() as kit:
        (log,) = logs_of(kit, SET)
        for path in objects(site).values():  # how much of it was shipped is chance
            if path.name.startswith(f"{name}."):
                path.unlink()

        def recover(place: str) -> tuple[str, set[str]]:
            planned = planning.plan(log, Goal("now"), site.base / place, QUICK)
            with recovering.recovered(kit, planned, QUICK) as (done, server):
                ((rows,),) = ask(server.connection("dossiers"), "SELECT count(*) FROM moments")
                return rows, {finding.key for finding in done.findings}

        assert recover("whole") == ("3", set())
        # What another receiver has as much of is taken from there, whichever is damaged.
        one, two = (place / f"{name}.partial" for place in log.directories.values())
        good = one.read_bytes()
        for path, other in ((one, two), (two, one)):
            spoil(path, int(at) + 40)
            assert recover(f"without {path.parent.name}") == ("3", set())
            other.write_bytes(path.read_bytes())
            assert recover(f"half {path.parent.name}") == ("1", {"recover.ended_early"})
            one.write_bytes(good)
            two.write_bytes(good)


def test_what_ends_within_a_record_is_taken_before_what_ends_cleanly_and_earlier(
    site: Site,
) -> None:
    """A busy server's does most often, and each commit before that was acknowledged."""
    with guarded(with_log(site), leave=True) as (kit, log, _):
        sql(site, "CREATE TABLE moments AS SELECT 0 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "INSERT INTO moments VALUES (1)")
        ((name, at),) = sql(
            site, "SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
        )
        sql(site, "INSERT INTO moments VALUES (2)")
    with site.kit() as kit:
        (log,) = logs_of(kit, SET)
        for path in objects(site).values():
            if path.name.startswith(f"{name}."):
                path.unlink()
        one, two = (place / f"{name}.partial" for place in log.directories.values())
        good = one.read_bytes()
        end = filled(good, 0)
        for longer, shorter in ((one, two), (two, one)):
            longer.write_bytes(good[: end - 16].ljust(len(good), b"\0"))
            shorter.write_bytes(good[: int(at)].ljust(len(good), b"\0"))
            target = site.base / f"by {longer.parent.name}"
            planned = planning.plan(log, Goal("now"), target, QUICK)
            with recovering.recovered(kit, planned, QUICK) as (_, server):
                rows = ask(server.connection("dossiers"), "SELECT count(*) FROM moments")
                assert rows == [("3",)]


def spoil(path: Path, at: int = 3 * 8192 + 3000) -> None:
    """One byte in the middle of a page is another one."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
