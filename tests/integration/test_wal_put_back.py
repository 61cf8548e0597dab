"""A server whose disk is put back to an older copy: seen, named, and never mixed with what is held.

It has the same system and the same timeline, and writes another log under the names that are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from opsd.errors import DatabaseFailed
from opsd.model import Outcome, Status
from opsd.tasks.kit import Kit
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import (
    begins_a_new_timeline,
    guarded,
    held_until_now,
    objects,
    receivers,
    recovers,
    replaced,
    sql,
    until,
    watched,
    with_log,
)
from tests.meanwhile import meanwhile
from tests.site import Site

WITHIN = 60  # seconds: what happened is named by then
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_two_histories_of_a_server_are_not_mixed_and_its_new_timeline_is_followed(
    site: Site,
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        copy = lives_on_behind_a_copy(site, kit, log)
        held_until_now(heard)
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED  # of what is abandoned then
        abandoned = bases(log, "main")[-1]
        held_until_now(heard)
        site.system.cluster.stop()
        received, kept = digests(files_of(log)), digests(objects(site).values())
        put_back(site, copy)
        until(lambda: heard.cause(log.subject) == "went_back", WITHIN)
        until(lambda: heard.cause(f"{log.subject}/one") == "went_back", WITHIN)
        assert heard.results[log.subject].status is Status.CRITICAL

        # A commit waits, and what does not wait goes beyond all that is held, where it would fit.
        waits = subprocess.Popen(
            ["psql", "-X", "-c", "INSERT INTO moments VALUES ('waited')", site.system.connection],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: sql(site, WAITING) == [("1",)])
        goes_beyond(site)
        time.sleep(5)  # receivers are tried every two seconds, shippers every one
        assert not receivers(site)
        assert heard.cause(log.subject) == "went_back"
        assert digests(files_of(log)) == received
        assert kept.items() <= digests(objects(site).values()).items()
        assert heard.figure("opsd_wal_repository_held_timestamp_seconds") is None
        with pytest.raises(DatabaseFailed, match="WENT BACK"):
            take_base(kit, log)
        # All that was acknowledged before can be had.
        assert recovered(site, log, "held") == {"before", "kept", "abandoned"}

        begins_a_new_timeline(site)
        assert waits.wait(60) is not None
        until(lambda: heard.cause(log.subject) == "", WITHIN)
        sql(site, "INSERT INTO moments VALUES ('after')")
        until(lambda: any(name.startswith("00000002") for name in objects(site)))
        held_until_now(heard)
        until(lambda: heard.cause(f"{log.subject}@main") == "")
        # What was abandoned is aside, and nothing of it is gone.
        assert set(received.values()) <= set(digests(files_of(log)).values())
        for place in log.directories.values():
            assert list(place.glob("aside-*/*"))
        assert list((site.repository / "opsd-objects").rglob("left-00000001-*/*"))
        assert planning.plan(log, Goal("now"), site.base / "plan").base.id != abandoned.id
        own = {"before", "kept", "other", "waited", "after"}
        assert recovered(site, log, "cured") == own


def test_what_no_receiver_has_any_more_is_not_written_over_in_a_repository(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        copy = lives_on_behind_a_copy(site, kit, log)
        held_until_now(heard)
        places = list(log.directories.values())
    kept = digests(objects(site).values())
    for place in places:
        shutil.rmtree(place)
    put_back(site, copy)
    sql(site, "ALTER SYSTEM SET synchronous_standby_names = ''")
    sql(site, "SELECT pg_reload_conf()")
    goes_beyond(site)
    with watched(site) as (_, log, heard):
        until(lambda: heard.cause(f"{log.subject}@main") == "went_back", WITHIN)
        goes_beyond(site)
        # Receivers have nothing to mix it with: what is committed now is safe with them.
        until(lambda: heard.cause(f"{log.subject}/one") == "")
        assert list(log.directories["one"].glob("0*"))
        time.sleep(5)
        assert digests(objects(site).values()) == kept
        assert heard.figure("opsd_wal_repository_held_timestamp_seconds") is None
        # A recovery takes one history, and says so.
        planned = planning.plan(log, Goal("now"), site.base / "plan")
        assert {finding.key for finding in planned.findings} == {"recover.two_histories"}
        assert recovered(site, log, "held", good=False) == {"before", "kept", "abandoned"}
        site.system.cluster.stop()
        until(lambda: heard.cause(log.subject) == "unreachable")
        time.sleep(5)
        assert digests(objects(site).values()) == kept
    # Nor does an opsd that begins while the server is down.
    with watched(site) as (_, log, heard):
        until(lambda: heard.cause(f"{log.subject}@main") == "not_shipped", WITHIN)
        assert digests(objects(site).values()) == kept


def test_a_new_timeline_needs_a_number_that_nobody_had(site: Site) -> None:
    server = site.system.cluster
    with guarded(with_log(site)) as (kit, log, heard):
        copy = lives_on_behind_a_copy(site, kit, log)
        held_until_now(heard)
        server.stop()
        for name in ("second", "third"):
            subprocess.run(["cp", "-a", copy, site.base / name], check=True)
        # On a new timeline from the first: nothing was written twice.
        begins_a_new_timeline(site, copy)
        until(lambda: heard.cause(log.subject) == "", WITHIN)
        sql(site, "INSERT INTO moments VALUES ('first')")
        held_until_now(heard)
        assert not list((site.repository / "opsd-objects").rglob("left-*"))

        # Put back once more, it takes the same number for another history. While it recovers it
        # is on the one before: no receiver begins, since it would go over with the server.
        server.stop()
        recovers(site, site.base / "second", signal_file="standby.signal")
        until(lambda: "still recovers" in heard.results[f"{log.subject}/one"].detail, WITHIN)
        assert not receivers(site)
        sql(site, "SELECT pg_promote()")
        until(lambda: heard.cause(f"{log.subject}/one") == "went_back", WITHIN)
        assert heard.results[f"{log.subject}/one"].fields["timeline"] == 2

        # It takes the next one where it knows of the others, and receivers follow.
        server.stop()
        third = site.base / "third"
        for history in log.directories["one"].glob("*.history"):
            (third / "pg_wal" / history.name).write_bytes(history.read_bytes())
            (third / "pg_wal" / history.name).chmod(0o644)
        begins_a_new_timeline(site, third)
        until(lambda: heard.cause(log.subject) == "", WITHIN)
        sql(site, "INSERT INTO moments VALUES ('second')")
        held_until_now(heard)
        assert any(name.startswith("00000003") for name in objects(site))
        assert recovered(site, log, "back") == {"before", "kept", "second"}


def test_a_receiver_that_went_over_to_a_used_number_brings_nothing_into_a_repository(
    site: Site,
) -> None:
    server = site.system.cluster
    with guarded(with_log(site)) as (kit, log, heard):
        copy = lives_on_behind_a_copy(site, kit, log)
        held_until_now(heard)
        server.stop()
        subprocess.run(["cp", "-a", copy, site.base / "second"], check=True)
        begins_a_new_timeline(site, copy)
        until(lambda: heard.cause(log.subject) == "", WITHIN)
        sql(site, "INSERT INTO moments VALUES ('first')")
        held_until_now(heard)
        # Both receivers are made anew, and begin while the server still is on the first timeline.
        server.stop()
        until(lambda: heard.cause(log.subject) == "unreachable", WITHIN)
        for place in log.directories.values():
            shutil.rmtree(place)
        kept = digests(objects(site).values())
        recovers(site, site.base / "second", signal_file="standby.signal")
        until(lambda: len(receivers(site)) == len(log.directories), WITHIN)
        time.sleep(3)  # shippers agree every second: nothing is wrong yet
        assert "went_back" not in heard.causes[f"{log.subject}@main"]
        sql(site, "SELECT pg_promote()")
        until(lambda: any(p.name.startswith("00000002") for p in files_of(log)), WITHIN)
        goes_beyond(site)
        until(lambda: heard.cause(f"{log.subject}@main") == "went_back", WITHIN)
        assert kept.items() <= digests(objects(site).values()).items()
        held = {name for name in objects(site) if name.startswith("00000002")}
        assert held == {path.name for path in kept if path.name.startswith("00000002")}


def test_a_server_that_dies_and_comes_back_went_nowhere(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "CREATE TABLE moments (said text)")
        for how in (signal.SIGQUIT, signal.SIGQUIT, signal.SIGINT):
            with committing(site):
                before = int(sql(site, "SELECT count(*) FROM moments")[0][0])
                until(lambda: int(sql(site, "SELECT count(*) FROM moments")[0][0]) > before + 50)  # noqa: B023
                site.system.cluster.stop(how)
            site.system.cluster.start()
            until(lambda: heard.cause(log.subject) == "")
        # One receiver begins again and again beside another that is being sent what is written.
        place = str(log.directories["one"])
        with committing(site):
            for _ in range(6):
                until(lambda: killed(site, place))
                until(lambda: not of(site, place))
            until(lambda: heard.cause(log.subject) == "")
        held_until_now(heard)
        assert not any("went_back" in causes for causes in heard.causes.values())


def test_a_damaged_file_of_one_receiver_keeps_no_other_from_receiving(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said FROM generate_series(1, 10000)")
        held_until_now(heard)  # what is damaged then goes nowhere
        place = log.directories["one"]
        (file,) = place.glob("*.partial")
        with file.open("r+b") as stream:
            stream.seek(len(file.read_bytes().rstrip(b"\0")) - 5000)
            stream.write(b"damaged")
        os.kill(of(site, str(place))[0], signal.SIGKILL)
        until(lambda: heard.cause(f"{log.subject}/one") == "went_back", WITHIN)
        other = of(site, str(log.directories["two"]))
        os.kill(other[0], signal.SIGKILL)
        until(lambda: set(of(site, str(log.directories["two"]))) - set(other), WITHIN)
        sql(site, "INSERT INTO moments VALUES ('on')")  # it waits for the other
        held_until_now(heard)
        assert heard.cause(log.subject) == "one_left"
        assert "went_back" not in heard.causes[f"{log.subject}/two"]
        assert "went_back" not in heard.causes[log.subject] | heard.causes[f"{log.subject}@main"]
        # Moved away, it is received anew.
        file.rename(site.base / file.name)
        until(lambda: heard.cause(log.subject) == "", WITHIN)
        # A disk that is gone keeps no other from receiving either.
        two = log.directories["two"]
        two.rename(site.base / "gone")
        two.write_text("no directory")
        before = of(site, str(place))
        os.kill(before[0], signal.SIGKILL)
        until(lambda: set(of(site, str(place))) - set(before), WITHIN)
        until(lambda: heard.cause(f"{log.subject}/one") == "", WITHIN)


# ------------------------------------------------------------------------------ what is done


def lives_on_behind_a_copy(site: Site, kit: Kit, log: Log) -> Path:
    """A copy of the server's disk; behind it the server writes segments that are abandoned."""
    sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
    assert take_base(kit, log).outcome is Outcome.SUCCEEDED
    sql(site, "INSERT INTO moments VALUES ('kept')")
    copy = site.base / "copy"
    site.system.cluster.stop()
    subprocess.run(["cp", "-a", site.system.cluster.data, copy], check=True)
    site.system.cluster.start()
    for _ in range(2):
        sql(site, "INSERT INTO moments VALUES ('abandoned')")
        sql(site, "SELECT pg_switch_wal()")
    sql(site, "INSERT INTO moments VALUES ('abandoned')")
    return copy


def put_back(site: Site, copy: Path) -> None:
    """The copy lies where the server was, and is started."""
    replaced(site, copy)
    site.system.cluster.start()


def goes_beyond(site: Site) -> None:
    """The server writes more segments than it had before it was put back."""
    with psycopg.connect(site.system.connection, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        for _ in range(5):
            connection.execute("INSERT INTO moments VALUES ('other')")
            connection.execute("SELECT pg_switch_wal()")
        connection.execute("INSERT INTO moments VALUES ('other')")


def recovered(site: Site, log: Log, name: str, *, good: bool = True) -> set[str]:
    """What a recovery to now brings back, and whether that is called good."""
    ways = Ways(throwaway=True)
    planned = planning.plan(log, Goal("now"), site.base / name, ways)
    with (
        recovering.recovered(log.kit, planned, ways) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good == good
        return {said for (said,) in connection.execute("SELECT said FROM moments").fetchall()}


def files_of(log: Log) -> list[Path]:
    """All that receivers have, aside too."""
    return [path for place in log.directories.values() for path in place.rglob("0*")]


def digests(paths: Iterable[Path]) -> Mapping[Path, str]:
    """What each file holds."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def of(site: Site, place: str) -> list[int]:
    """The processes that receive into a directory."""
    return [pid for pid in receivers(site) if f"\0{place}\0" in command(pid)]


def killed(site: Site, place: str) -> bool:
    """Whether one was there to be killed."""
    for pid in of(site, place):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def command(pid: int) -> str:
    """What a process was started with; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def committing(site: Site) -> Iterator[None]:
    """Somebody commits until the server is gone."""

    def work(over: threading.Event) -> None:
        with (
            suppress(psycopg.Error),
            psycopg.connect(site.system.connection, autocommit=True) as connection,
        ):
            while not over.is_set():
                connection.execute("INSERT INTO moments VALUES ('on')")

    with meanwhile(work):
        yield
