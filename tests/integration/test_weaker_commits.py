"""What the server's clients commit with is seen, whatever opsd's own session is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from opsd.drivers.postgres.replication import Server, Weak, reach
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.log import Log, logs_of
from opsd.wal import position
from tests.logs import until, with_log
from tests.site import SET, Site

ROLE, DATABASE = "ROLE opsd_backup", "DATABASE dossiers"
BOTH = f"{ROLE} IN {DATABASE}"
# What is set where, in this order; `start` is the server's command line, `SYSTEM` its files.
CASES: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "on"),
    ({"SYSTEM": "off"}, "off"),
    ({"SYSTEM": "off", ROLE: "on"}, "off"),
    ({"SYSTEM": "remote_write", DATABASE: "on"}, "remote_write"),
    ({"SYSTEM": "local", BOTH: "on"}, "local"),
    ({"SYSTEM": "off", "ROLE ALL": "on"}, "off"),
    ({"SYSTEM": "off", "ROLE opsd_wal": "on", ROLE: "on"}, "off"),
    ({ROLE: "local"}, "on"),
    ({"SYSTEM": "off", ROLE: "local"}, "off"),
    ({"start": "off", "SYSTEM": "on"}, "off"),
    ({"start": "off", "SYSTEM": "on", ROLE: "on"}, "off"),
    ({"start": "on", "SYSTEM": "off", ROLE: "on"}, "on"),
)


@pytest.mark.parametrize("options", ["", "-c synchronous_commit=on"], ids=["", "our-own-options"])
def test_what_commits_are_made_with_is_seen(
    site: Site, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", options)
    with prepared(site, options) as log:
        for settings, commit in CASES:
            with setting(site, log, settings) as sessions:
                weak = {where: value for where, value in settings.items() if where == ROLE}
                weak = {w: v for w, v in {**weak, "": commit}.items() if v != "on"}
                for one in sessions:
                    expect(log, one, commit, weak)


def expect(log: Log, session: Server, commit: str, weak: dict[str, str]) -> None:
    """That a session comes to see what commits are made with, and where that is weaker."""
    until(lambda: session.seen(log.commit).commit == commit, 10)
    seen = session.seen(log.commit)
    assert {found.where: found.value for found in seen.weak} == weak
    assert seen.hidden == ""


@contextmanager
def setting(site: Site, log: Log, settings: dict[str, str]) -> Iterator[tuple[Server, Server]]:
    """A session that was there before something was set, and one that came then."""
    started = settings.get("start")
    if started:
        restart(site, {**site.system.cluster.settings, "synchronous_commit": started})
    places = [where for where in settings if where != "start"]
    with session(log) as before:
        alter(site, *(f"{where} SET synchronous_commit = {settings[where]}" for where in places))
        with session(log) as after:
            yield before, after
    alter(site, *(f"{where} RESET synchronous_commit" for where in places))
    if started:
        settings = dict(site.system.cluster.settings)
        restart(site, {k: v for k, v in settings.items() if k != "synchronous_commit"})


def restart(site: Site, settings: dict[str, str]) -> None:
    """Start the server anew, with other settings on its command line."""
    cluster = site.system.cluster
    cluster.stop()
    cluster.settings = settings
    cluster.start()


def test_it_is_seen_behind_a_role_that_has_none_any_more(site: Site) -> None:
    with prepared(site) as log:
        alter(site, "ROLE opsd_backup SET synchronous_commit = on")
        with session(log) as one:
            alter(site, "ROLE opsd_backup RESET ALL", "SYSTEM SET synchronous_commit = off")
            until(lambda: one.seen(log.commit).weak == (Weak("synchronous_commit", "off"),), 10)


def test_what_cannot_be_seen_is_not_said_to_be_good(site: Site) -> None:
    with prepared(site) as log:
        alter(site, "ROLE opsd_backup SET synchronous_commit = on", "ROLE opsd_wal NOLOGIN")
        with session(log) as one:
            seen = one.seen(log.commit)
        assert (seen.commit, seen.weak) == ("", ())
        assert "opsd_wal" in seen.hidden


def test_a_beat_lies_behind_commits_that_were_not_even_flushed(site: Site) -> None:
    with prepared(site) as log, session(log) as watcher:
        alter(site, "SYSTEM SET wal_writer_delay = '10s'")
        with psycopg.connect(site.system.connection, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("CREATE TABLE told AS SELECT 1")
            where = "SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()"
            committed, flushed = connection.execute(where).fetchall()[0]
            assert position(flushed) < position(committed)
            assert watcher.beat() >= position(committed)


def test_setting_up_mends_the_server_behind_a_role(site: Site) -> None:
    with prepared(site) as log:
        alter(
            site,
            "SYSTEM SET synchronous_commit = off",
            "ROLE opsd_backup SET synchronous_commit = on",
        )
        mend = "ALTER SYSTEM SET synchronous_commit = 'on'"
        until(lambda: mend in [one.statement for one in setting_up.plan(log).changes], 10)
        alter(
            site, "SYSTEM RESET synchronous_commit", "ROLE opsd_backup SET synchronous_commit=off"
        )
        until(lambda: mend not in [one.statement for one in setting_up.plan(log).changes], 10)


@contextmanager
def prepared(site: Site, options: str = "") -> Iterator[Log]:
    """The site's log, looked at by a role that may only see."""
    for statement in (
        "CREATE ROLE opsd_backup LOGIN",
        "GRANT pg_monitor TO opsd_backup",
        "CREATE ROLE opsd_wal LOGIN REPLICATION NOINHERIT",
    ):
        as_superuser(site, statement)
    mine = site.system.connection.replace("user=opsd", "user=opsd_backup")
    assert mine != site.system.connection
    with_log(site)
    site.changes[site.system.connection] = f"{mine} options='{options}'" if options else mine
    with site.kit() as kit:
        yield logs_of(kit, SET)[0]


@contextmanager
def session(log: Log) -> Iterator[Server]:
    """A session as the guard has one."""
    with closing(reach(log.database)) as server:
        yield server


def alter(site: Site, *what: str) -> None:
    """Alter something, so that it counts."""
    for one in what:
        as_superuser(site, f"ALTER {one}")
    as_superuser(site, "SELECT pg_reload_conf()")


def as_superuser(site: Site, statement: str) -> None:
    with psycopg.connect(site.system.connection, autocommit=True, options="") as connection:
        connection.execute(statement)
