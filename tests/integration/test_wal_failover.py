"""A server with a standby beside it, both of them in `connection`: who writes is the server."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from opsd.demo.psql import ask
from opsd.drivers.cluster import DURABLE, Cluster, binaries
from opsd.drivers.process import become
from opsd.errors import UsageError
from opsd.model import Outcome, Status
from opsd.tasks.kit import Kit
from opsd.tasks.wal import planning, recovering, setting_up
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.wal import position
from tests.logs import WAL, Heard, guarded, held_until_now, sql, until, with_log
from tests.site import Site

QUICK = Ways(throwaway=True, here=False)


def test_receivers_stay_with_who_writes_and_follow_when_a_standby_is_promoted(site: Site) -> None:
    with guarded(with_both(site)) as (kit, log, heard):
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "CREATE TABLE moments AS SELECT 1 AS number")
        with standby_of(site) as standby:
            # The primary is down for a while, and the standby answers: nobody receives from it.
            site.system.cluster.stop()
            until(lambda: down(heard, log.subject))
            assert ask(standby.connection(), "SELECT count(*) FROM pg_stat_replication") == [("0",)]
            site.system.cluster.start()
            until(lambda: heard.cause(log.subject) == "")
            sql(site, "INSERT INTO moments VALUES (2)")
            # Commits wait for receivers and not for the standby: what it lacks then, it never has.
            rows = "SELECT count(*) FROM moments"
            until(lambda: ask(standby.connection("dossiers"), rows) == [("2",)])

            # It dies, and the standby takes its place: commits wait for the same receivers there.
            site.system.cluster.stop(signal.SIGQUIT)
            ask(standby.connection(), "SELECT pg_promote()")
            ask(standby.connection("dossiers"), "INSERT INTO moments VALUES (3)")
            until(lambda: heard.cause(log.subject) == "")
            held_until_now(heard)
            assert heard.cause(f"{log.subject}@main") == ""
            planned = planning.plan(log, Goal("now"), site.base / "back", QUICK)
            assert planned.chain.timeline == 2
            with recovering.recovered(kit, planned, QUICK) as (done, server):
                assert done.good
                found = ask(server.connection("dossiers"), "SELECT number FROM moments ORDER BY 1")
            assert found == [("1",), ("2",), ("3",)]


def test_a_standby_that_lacks_commits_takes_them_from_a_receiver(site: Site) -> None:
    with guarded(with_both(site)) as (_, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 1 AS number")
        place, rows = log.directories["one"], "SELECT count(*) FROM moments"
        with standby_of(site) as standby:
            fetch = f"cp {place}/%f %p || cp {place}/%f.partial %p"
            ask(standby.connection(), f"ALTER SYSTEM SET restore_command = '{fetch}'")
            ask(standby.connection(), "SELECT pg_reload_conf()")
            ((receives,),) = ask(standby.connection(), "SELECT pid FROM pg_stat_wal_receiver")
            os.kill(int(receives), signal.SIGSTOP)
            sql(site, "INSERT INTO moments VALUES (2)")
            sql(site, "SELECT pg_switch_wal()")
            sql(site, "INSERT INTO moments VALUES (3)")
            site.system.cluster.stop(signal.SIGQUIT)
            assert ask(standby.connection("dossiers"), rows) == [("1",)]
            for path in (place.parent, place, *place.iterdir()):
                path.chmod(0o755)  # for the account of PostgreSQL
            os.kill(int(receives), signal.SIGCONT)
            until(lambda: ask(standby.connection("dossiers"), rows) == [("3",)])
            ask(standby.connection(), "SELECT pg_promote()")
            ask(standby.connection("dossiers"), "INSERT INTO moments VALUES (4)")
            until(lambda: heard.cause(log.subject) == "")


@pytest.mark.parametrize("more", ["pg_switch_wal()", "'in the same segment'"])
def test_what_a_promoted_standby_lacks_is_told_and_can_be_had_until_it_is_moved_elsewhere(
    site: Site, more: str
) -> None:
    with guarded(with_both(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 1 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        with standby_of(site) as standby:
            until(lambda: told_to_lack(heard, log) == {"one": 0, "two": 0})
            ask(standby.connection(), "ALTER SYSTEM SET primary_conninfo = ''")
            ask(standby.connection(), "SELECT pg_reload_conf()")
            fed = "SELECT count(*) FROM pg_stat_wal_receiver"
            until(lambda: ask(standby.connection(), fed) == [("0",)])
            sql(site, "INSERT INTO moments VALUES (2)")
            sql(site, f"SELECT {more}")
            sql(site, "INSERT INTO moments VALUES (3)")
            ((end,),) = sql(site, "SELECT pg_current_wal_lsn()")
            have = "SELECT flush_lsn FROM pg_stat_replication"
            until(lambda: all(position(at) >= position(end) for (at,) in sql(site, have)))
            held_until_now(heard)
            site.system.cluster.stop(signal.SIGQUIT)
            ask(standby.connection(), "SELECT pg_promote()")
            ask(standby.connection("dossiers"), "INSERT INTO moments VALUES (4)")
            until(
                lambda: all((told_to_lack(heard, log)[name] or 0) > 0 for name in log.directories)
            )
            until(lambda: heard.cause(log.subject) == "")
            ((switch,),) = ask(
                standby.connection(),
                "SELECT split_part(regexp_replace(pg_read_file('pg_wal/00000002.history'),"
                " E'\\n.*', ''), E'\\t', 2)",
            )
            places: list[Path] = []
            for name in log.directories:
                found = heard.results[f"{log.subject}/{name}"]
                assert (found.key, found.status) == ("wal.left_behind", Status.WARNING)
                assert (found.fields["begin"], found.fields["timeline"]) == (switch, 1)
                assert found.fields["commits"] == 2  # none of opsd's own
                places += cast("list[Path]", found.fields["places"])

            assert rows_at(site, kit, log, Goal("now")) == {"1", "4"}
            assert rows_at(site, kit, log, Goal("timeline", timeline=1)) == {"1", "2", "3"}
            with pytest.raises(UsageError, match="nobody has log"):
                planning.plan(log, Goal("timeline", timeline=7), site.base / "none")
            for one in places:
                one.rename(site.base / f"{one.parent.name}-{one.name}")
            until(lambda: told_to_lack(heard, log) == {"one": 0, "two": 0})
            assert heard.results[f"{log.subject}/one"].key == "wal.receives"
            # The repository has it too.
            held = rows_at(site, kit, log, Goal("timeline", timeline=1), here=False)
            assert held == {"1", "2", "3"}


def rows_at(site: Site, kit: Kit, log: Log, goal: Goal, *, here: bool = True) -> set[str]:
    """What a recovery brings back."""
    ways = Ways(throwaway=True, here=here)
    target = site.base / f"{goal.kind}-{here}"
    with recovering.recovered(kit, planning.plan(log, goal, target, ways), ways) as (done, server):
        assert done.good
        return {row for (row,) in ask(server.connection("dossiers"), "SELECT number FROM moments")}


def told_to_lack(heard: Heard, log: Log) -> dict[str, float | None]:
    """How much the server is said to lack of what each receiver has."""
    metric = "opsd_wal_receiver_left_bytes"
    return {name: heard.figure(metric, receiver=name) for name in log.directories}


def test_a_new_server_in_the_place_of_the_old_one_is_told_and_followed_once_told_to(
    site: Site,
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        for _ in range(3):
            sql(site, "CREATE TABLE IF NOT EXISTS moments AS SELECT 1 AS number")
            sql(site, "SELECT pg_switch_wal()")
        server = site.system.cluster
        server.stop()
        server.data.rename(site.base / "lost")
        server.checksums = False  # so that initdb makes one that is no copy of the lost one
        server.create()
        server.start()
        ask(server.connection(), "CREATE DATABASE dossiers")
        setting_up.carry_out(setting_up.plan(log))
        for name in log.directories:
            until(lambda: "another server" in told(heard, f"{log.subject}/{name}"))  # noqa: B023
        for directory in log.directories.values():
            directory.rename(directory.with_name(f"{directory.name}-of-the-old-one"))
        until(lambda: all(heard.cause(f"{log.subject}/{name}") == "" for name in log.directories))
        setting_up.carry_out(setting_up.plan(log))
        until(lambda: heard.cause(log.subject) == "")
        sql(site, "CREATE TABLE moments AS SELECT 2 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        planned = planning.plan(log, Goal("now"), site.base / "back", QUICK)
        with recovering.recovered(kit, planned, QUICK) as (done, recovered):
            assert done.good
            assert ask(recovered.connection("dossiers"), "SELECT number FROM moments") == [("2",)]


def told(heard: Heard, subject: str) -> str:
    """What is said of a subject in detail."""
    found = heard.results.get(subject)
    return found.detail if found else ""


def with_both(site: Site) -> Site:
    """The same site, its log received from wherever somebody writes."""
    here, port = f"host={site.system.cluster.directory} ", "port=5432"
    assert here in site.system.connection
    both = site.system.connection.replace(here, f"{here.strip()},{site.base}/standby ")
    line = f"        connection: {site.system.connection}\n"
    wal = WAL.format(base=site.base)
    site.changes[line] = f'        connection: "{both.replace(port, f"{port},5432")}"\n{wal}'
    return site


def down(heard: Heard, subject: str) -> bool:
    """The server answers nobody, and no receiver has another one."""
    told = [heard.cause(one) for one in (subject, f"{subject}/one", f"{subject}/two")]
    return told == ["unreachable"] * 3


@contextmanager
def standby_of(site: Site) -> Iterator[Cluster]:
    """A standby that the site's server feeds."""
    primary = site.system.cluster
    standby = Cluster(site.base / "standby", primary.major, {**DURABLE, "hot_standby": "on"})
    standby.directory.mkdir()
    owner = primary.directory.stat()
    os.chown(standby.directory, owner.st_uid, owner.st_gid)
    program = str(binaries(primary.major) / "pg_basebackup")
    copy = (program, "-D", str(standby.data), "-R", "-c", "fast", "-d", primary.connection())
    subprocess.run(("setpriv", *become("postgres"), "--", *copy), check=True, timeout=60)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop(signal.SIGQUIT)
