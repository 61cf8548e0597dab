"""Receivers whose place in the log is gone: the server went back, or has given it up."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg

from opsd.model import Outcome
from opsd.policy import moments
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit, new_run_id
from opsd.tasks.wal import choosing, planning, recovering, setting_up
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.copies import open_copies
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from tests.logs import (
    WAL,
    a_moment_apart,
    finished,
    guarded,
    held_until_now,
    objects,
    receivers,
    sql,
    until,
    with_log,
)
from tests.site import SET, Site


def test_receivers_follow_a_server_that_goes_back_and_a_recovery_goes_across(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "INSERT INTO moments VALUES ('kept')")
        second = a_moment_apart()
        for _ in range(3):  # segments that are behind that moment, beginning to end
            sql(site, "INSERT INTO moments VALUES ('abandoned')")
            sql(site, "SELECT pg_switch_wal()")
        sql(site, "INSERT INTO moments VALUES ('abandoned')")
        until(lambda: len(finished(site)) >= 3)
        held_until_now(heard)
        # The newest base copy is of the time that is abandoned then.
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        had = {name: set(files(place)) for name, place in log.directories.items()}

        goes_back(site, kit, log, second)
        until(lambda: len(receivers(site)) == 2)
        until(lambda: all(heard.cause(f"{log.subject}/{name}") == "left_behind" for name in had))
        setting_up.carry_out(setting_up.plan(log))
        until(lambda: heard.cause(log.subject) == "")
        sql(site, "INSERT INTO moments VALUES ('after')")
        until(lambda: any(name.startswith("00000002") for name in objects(site)))
        held_until_now(heard)
        for name, place in log.directories.items():
            assert {file for file in had[name] if "partial" not in file} <= set(files(place))
            assert any(path.is_dir() for path in place.glob("aside-*"))
            assert heard.results[f"{log.subject}/{name}"].key == "wal.left_behind"
            kept = heard.figure("opsd_wal_receiver_aside_bytes", receiver=name)
            assert kept == sum(path.stat().st_size for path in place.glob("aside-*/*"))

        assert said_now(site, kit, log) == ["after", "before", "kept"]


def test_a_night_takes_nothing_of_the_time_that_was_abandoned(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        good = bases(log, "main")
        sql(site, "INSERT INTO moments VALUES ('kept')")
        second = a_moment_apart()
        sql(site, "INSERT INTO moments VALUES ('abandoned')")
        abandoned = datetime.now(UTC)
        sql(site, "SELECT pg_switch_wal()")
        assert back_up(kit, SET).point  # a dump and a base copy of that time
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        goes_back(site, kit, log, second)
        until(lambda: heard.cause(f"{log.subject}/one") == "left_behind")
        sql(site, "INSERT INTO moments VALUES ('after')")
        after = a_moment_apart()
        held_until_now(heard)

        found = choosing.reachable(log, "main", site.base / "look")
        assert found.bases == good
        (left,) = found.left
        assert timedelta() <= second - left.begin < timedelta(seconds=3)
        assert moments.is_left(abandoned, found.left)
        assert left.begin < abandoned < left.end < after
        closing = replay(kit, log)
        assert closing.outcome is Outcome.PASSED, closing.findings
        assert not kit.store.evidence(closing.run, "compared")  # the only dump is abandoned
        told = kit.store.evidence(closing.run, "replayed")
        assert told
        assert (told["base"], moments.is_left(moment(told["goal"]), found.left)) == (
            good[0].id,
            False,
        )

        # Since when it leads to now is told by a base copy that does.
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        oldest = kit.last_told(SET, "bases", member=log.name, repository="main")
        assert oldest
        assert moment(oldest["oldest"]) == good[0].until
        (wasted,) = set(bases(log, "main")[:-1]) - set(good)
        open_copies(log, "main").drop([good[0].id])
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        oldest = kit.last_told(SET, "bases", member=log.name, repository="main")
        assert oldest
        assert moment(oldest["oldest"]) > left.end > wasted.until


def test_a_server_that_went_back_to_before_an_earlier_timeline_comes_back_from_before(
    site: Site,
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        good = bases(log, "main")
        sql(site, "INSERT INTO moments VALUES ('kept')")
        first = a_moment_apart()
        sql(site, "INSERT INTO moments VALUES ('abandoned')")
        sql(site, "SELECT pg_switch_wal()")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        second = a_moment_apart()
        held_until_now(heard)

        # To a moment behind the second base copy; then, along that timeline, to one before it.
        for number, moment in enumerate((second, first), 2):
            goes_back(site, kit, log, moment)
            sql(site, "INSERT INTO moments VALUES ('after')")
            until(partial(_has_timeline, site, number))
            held_until_now(heard)
        assert choosing.reachable(log, "main", site.base / "look").bases == good

        assert said_now(site, kit, log) == ["after", "before", "kept"]


def moment(text: str) -> datetime:
    """As evidence writes it."""
    return datetime.fromisoformat(text)


def test_a_receiver_whose_slot_is_lost_goes_on_and_deletes_nothing(site: Site) -> None:
    small = WAL.replace("slot_limit: 1GiB", "slot_limit: 32MiB")
    with guarded(with_log(site, wal=small)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        sql(site, "SELECT pg_switch_wal()")
        until(lambda: finished(site))
        place, subject = log.directories["one"], f"{log.subject}/one"
        had = {name for name in files(place) if "partial" not in name}
        assert had
        sql(site, "ALTER ROLE opsd_wal NOLOGIN")
        (mine,) = (pid for pid in receivers(site) if str(place) in command(pid))
        os.kill(mine, signal.SIGKILL)
        lost = "SELECT 1 FROM pg_replication_slots WHERE wal_status = 'lost'"
        for _ in range(40):
            sql(site, "INSERT INTO moments VALUES ('meanwhile')")
            sql(site, "SELECT pg_switch_wal()")
            sql(site, "CHECKPOINT")
            if sql(site, lost):
                break
        until(lambda: heard.cause(subject) == "slot_lost")
        sql(site, "ALTER ROLE opsd_wal LOGIN")
        until(lambda: heard.cause(subject) == "")
        assert not sql(site, lost)
        assert had <= set(files(place))
        sql(site, "INSERT INTO moments VALUES ('after')")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        assert heard.cause(f"{log.subject}@main") == ""


def command(pid: int) -> str:
    """What a process was started with."""
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")


def _has_timeline(site: Site, number: int) -> bool:
    return any(name.startswith(f"{number:08X}") for name in objects(site))


def said_now(site: Site, kit: Kit, log: Log) -> list[str]:
    """What a recovery to the last commit brings back."""
    now = planning.plan(log, Goal("now"), site.base / "now", Ways(throwaway=True))
    with (
        recovering.recovered(kit, now, Ways(throwaway=True)) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good
        return [row[0] for row in connection.execute("SELECT said FROM moments ORDER BY said")]


def goes_back(site: Site, kit: Kit, log: Log, moment: datetime) -> None:
    """The server is recovered to a moment, and started where it was."""
    server = site.system.cluster
    server.stop()
    planned = planning.plan(log, Goal("time", time=moment), site.base / "back")
    assert recovering.carry_out(kit, planned).good
    server.data.rename(site.base / f"abandoned.{new_run_id(kit.clock())}")
    (site.base / "back" / DATA).rename(server.data)
    shutil.rmtree(site.base / "back")
    server.start()


def files(directory: Path) -> list[str]:
    """The names of all files below a receiver's directory."""
    return [path.name for path in directory.rglob("*") if path.is_file()]
