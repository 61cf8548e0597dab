"""For whom commits wait: less only as agreed, never in silence, and as before by itself."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from opsd.model import Status
from opsd.tasks.wal import setting_up
from opsd.wal import position
from tests.logs import (
    busy,
    guarded,
    hit,
    receivers,
    sql,
    until,
    with_log,
)
from tests.meanwhile import meanwhile
from tests.site import SET, Site


def test_receivers_come_back_and_protection_is_given_up_only_as_agreed(site: Site) -> None:
    with guarded(with_log(site, "          fall_back_after: 10s\n")) as (kit, log, heard):
        main = f"{log.subject}@main"
        until(lambda: heard.cause(main) == "no_base")
        held = heard.figure("opsd_wal_receiver_held_timestamp_seconds", receiver="one")
        assert held is not None
        assert timedelta() < timedelta(seconds=time.time() - held) < timedelta(seconds=10)

        # Killed: back within a second, and no commit is lost or stuck.
        before = set(receivers(site))
        assert len(before) == 2
        hit(site, signal.SIGKILL)
        sql(site, "CREATE TABLE one AS SELECT 1")
        until(lambda: len(set(receivers(site)) - before) == 2)
        until(lambda: heard.cause(log.subject) == "")
        assert not kit.store.exposures(SET)

        # Stopped: commits wait, then the server goes on without, as it was agreed.
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '1s'")
        sql(site, "SELECT pg_reload_conf()")
        hit(site, signal.SIGSTOP)
        stopped = time.time()
        ((before_it,),) = sql(site, "SELECT pg_current_wal_insert_lsn()")
        sql(site, "CREATE TABLE two AS SELECT 1")
        until(lambda: heard.cause(log.subject) == "exposed")
        assert heard.results[log.subject].status is Status.CRITICAL
        (exposure,) = kit.store.exposures(SET)
        assert exposure.ended is None
        # What waited until then was let go, and no receiver has it.
        assert exposure.begin <= position(before_it)
        sql(site, "CREATE TABLE three AS SELECT 1")
        until(lambda: (heard.figure("opsd_wal_exposed_bytes") or 0) > 0)
        # What it says may be lost is never less than what a receiver lacks.
        held = heard.figure("opsd_wal_receiver_held_timestamp_seconds", receiver="one")
        assert held
        assert stopped - 10 < held <= stopped
        hit(site, signal.SIGCONT)
        until(lambda: heard.cause(log.subject) == "")
        (exposure,) = kit.store.exposures(SET)
        assert exposure.ended is not None
        assert [line.kind for line in kit.store.lines()] == ["exposure", "exposure_end"]

        # The server is started again: receivers find it, and it still waits for them.
        site.system.cluster.stop()
        until(lambda: heard.cause(log.subject) == "unreachable")
        assert heard.figure("opsd_wal_synchronous") is None
        site.system.cluster.start()
        until(lambda: heard.cause(log.subject) == "")
        sql(site, "CREATE TABLE four AS SELECT 1")
        until(lambda: heard.cause(main) == "no_base")


def test_a_fall_back_ends_while_somebody_commits_all_the_time_and_disks_are_slow(
    site: Site,
) -> None:
    with guarded(with_log(site, "          fall_back_after: 3s\n")) as (kit, log, heard):
        sql(site, "CREATE TABLE work (number int)")
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '3s'")
        sql(site, "SELECT pg_reload_conf()")
        with busy(site, "INSERT INTO work VALUES (0)"):
            hit(site, signal.SIGSTOP)
            until(lambda: heard.cause(log.subject) == "exposed")
            with slow(site):
                names = "SELECT current_setting('synchronous_standby_names')"
                until(lambda: sql(site, names) != [("",)], 15)
                ((at,),) = sql(site, "SELECT pg_current_wal_flush_lsn()")
                until(lambda: kit.store.exposures(SET)[0].ended is not None, 15)
            until(lambda: heard.cause(log.subject) == "", 15)
        (exposure,) = kit.store.exposures(SET)
        # All that may have been committed without waiting was received before it ended.
        assert exposure.end is not None
        assert exposure.end > position(at)


def test_commits_wait_for_two_and_for_fewer_only_as_agreed(site: Site) -> None:
    names = "SELECT current_setting('synchronous_standby_names')"
    more = "          wait_for: 2\n          fall_back_after: 8s\n"
    with guarded(with_log(site, more)) as (kit, log, heard):
        assert sql(site, names) == [("ANY 2 (opsd_one, opsd_two)",)]
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '1s'")
        sql(site, "SELECT pg_reload_conf()")
        # With one of them there, they wait until there is agreement that one is enough.
        hit(site, signal.SIGSTOP, "two")
        until(lambda: heard.cause(log.subject) == "too_few")
        sql(site, "CREATE TABLE one AS SELECT 1")
        assert sql(site, names) == [("ANY 1 (opsd_one, opsd_two)",)]
        until(lambda: heard.cause(log.subject) == "fewer")
        assert heard.results[log.subject].status is Status.WARNING
        (exposure,) = kit.store.exposures(SET)
        assert exposure.ended is None
        assert heard.figure("opsd_wal_synchronous") == 0
        # With none of them, they wait again, and then for nobody.
        hit(site, signal.SIGSTOP, "one")
        sql(site, "CREATE TABLE two AS SELECT 1")
        assert sql(site, names) == [("",)]
        until(lambda: heard.cause(log.subject) == "exposed")
        # One is back, and then both: it ends by itself, and was one time at risk.
        hit(site, signal.SIGCONT, "two")
        until(lambda: sql(site, names) == [("ANY 1 (opsd_one, opsd_two)",)])
        hit(site, signal.SIGCONT, "one")
        until(lambda: sql(site, names) == [("ANY 2 (opsd_one, opsd_two)",)])
        until(lambda: heard.cause(log.subject) == "")
        assert kit.store.exposures(SET)[0].ended is not None
        assert [line.kind for line in kit.store.lines()] == ["exposure", "exposure_end"]


def test_a_plan_makes_no_commit_wait_for_more_than_receive_it(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, heard):
        stricter = replace(log, wal=log.wal.model_copy(update={"wait_for": 2}))
        planned = setting_up.plan(stricter)
        wanted = "ALTER SYSTEM SET synchronous_standby_names = 'ANY 2 (opsd_one, opsd_two)'"
        assert wanted in [change.statement for change in planned.changes]
        assert "wal.none_to_spare" in {advice.key for advice in planned.advice}
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '1s'")
        sql(site, "SELECT pg_reload_conf()")
        hit(site, signal.SIGSTOP, "two")
        until(lambda: heard.cause(log.subject) == "one_left")
        planned = setting_up.plan(stricter)
        assert not planned.ready
        assert wanted not in [change.statement for change in planned.changes]
        hit(site, signal.SIGCONT, "two")


@contextmanager
def slow(site: Site) -> Iterator[None]:
    """Receivers get on for an instant in each second only."""

    def work(over: threading.Event) -> None:
        while not over.is_set():
            hit(site, signal.SIGCONT)
            over.wait(0.03)
            hit(site, signal.SIGSTOP)
            over.wait(0.95)
        hit(site, signal.SIGCONT)

    with meanwhile(work):
        yield
