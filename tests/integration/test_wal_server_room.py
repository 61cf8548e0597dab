"""The server's own disk, on which its slots keep log for receivers that are away."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsd.config.hosts import Host
from opsd.drivers.postgres.place import Place
from opsd.drivers.postgres.replication import visiting
from opsd.model import CheckId, CheckResult, CheckState, Measurement, Status
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.log import logs_of
from opsd.tasks.wal.room import Room, room, room_elsewhere
from tests.logs import WAL, guarded, sql, until, with_log
from tests.site import SET, Site

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
METRIC = "opsd_wal_server_free_bytes"
ENDLESS = WAL.replace("1GiB", "1048576GiB")


def test_a_limit_beyond_the_room_of_the_server_is_told_before_and_while_it_is_so(
    site: Site,
) -> None:
    with guarded(with_log(site)) as (_, log, heard):
        facts = os.statvfs(site.system.cluster.data / "pg_wal")
        size = facts.f_blocks * facts.f_frsize
        assert 0 < (heard.figure(METRIC) or 0) < size
        sql(site, f"ALTER SYSTEM SET max_slot_wal_keep_size = '{2 * size >> 20}MB'")
        sql(site, "SELECT pg_reload_conf()")
        until(lambda: heard.cause(log.subject) == "server_room")
        assert heard.results[log.subject].fields["place"] == str(
            site.system.cluster.data / "pg_wal"
        )
        setting_up.carry_out(setting_up.plan(log))
        until(lambda: heard.cause(log.subject) == "")
    with with_log(site, wal=ENDLESS).kit() as kit:
        site.system.cluster.start()
        (log,) = logs_of(kit, SET)
        (advice,) = (a for a in setting_up.plan(log).advice if a.key == "wal.slot_beyond_room")
        assert advice.fields["limit"] == log.wal.slot_limit


def is_itself(place: Place, _: Path) -> Place:
    return place


def has_its_log_elsewhere(place: Place, elsewhere: Path) -> Place:
    """The server's directory of its log is a link."""
    elsewhere.mkdir()
    linked(place, elsewhere)
    return place


def may_not_be_looked_into(place: Place, elsewhere: Path) -> Place:
    """What is below the data directory cannot be seen."""
    linked(place, elsewhere)  # which is nowhere
    (place.directory / "global").rename(place.directory / "hidden")
    return place


def is_reached_through_a_tunnel(place: Place, _: Path) -> Place:
    """The far end has its data at the same path."""
    return replace(place, by_socket=False, by_loopback=True, system="7")


def is_behind_a_tunnel_and_hidden(place: Place, elsewhere: Path) -> Place:
    return replace(may_not_be_looked_into(place, elsewhere), by_socket=False, by_loopback=True)


def is_another_here(place: Place, _: Path) -> Place:
    """What answers at the socket has its data in a container, at the path of another server."""
    return replace(place, system="7")


def is_on_another_machine(place: Place, _: Path) -> Place:
    return replace(place, by_socket=False)


def is_in_a_container(place: Place, elsewhere: Path) -> Place:
    return replace(place, directory=elsewhere)


def linked(place: Place, elsewhere: Path) -> None:
    log = place.directory / "pg_wal"
    log.rename(log.with_name("pg_wal.before"))
    log.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (is_itself, "pg_wal"),
        (has_its_log_elsewhere, "pg_wal"),
        (may_not_be_looked_into, ""),
        (is_reached_through_a_tunnel, None),
        (is_behind_a_tunnel_and_hidden, None),
        (is_another_here, None),
        (is_on_another_machine, None),
        (is_in_a_container, None),
    ],
)
def test_room_is_known_only_where_it_is_that_servers(
    site: Site, change: Callable[[Place, Path], Place], seen: str | None
) -> None:
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        with visiting(log.database) as server:
            place = server.place
    assert place is not None
    assert place.directory == site.system.cluster.data
    assert (
        room(replace(place, by_socket=False, by_loopback=True)) is not None
    )  # its own loopback address
    site.system.cluster.stop()
    found = room(change(place, site.base / "elsewhere"))
    assert (found and found.place) == (None if seen is None else str(place.directory / seen))


def test_who_may_not_ask_where_the_data_lies_does_not_know_the_room(site: Site) -> None:
    sql(site, "CREATE ROLE plain LOGIN")
    changed = with_log(site)
    changed.changes["user=opsd"] = "user=plain"
    with changed.kit() as kit:
        (log,) = logs_of(kit, SET)
        with visiting(log.database) as server:
            assert server.place is None


FREE = "opsd_host_filesystem_avail_bytes"
FAR = Place(Path("/var/lib/postgresql/15/main"), "7", False, False, frozenset(("db1", "10.0.0.5")))


def watched(host: str, point: str, free: int | None, check: str = "filesystems") -> CheckState:
    """What the watch knows of a filesystem."""
    figures = () if free is None else (Measurement(FREE, free, {"mountpoint": point}),)
    found = CheckResult(Status.OK, "x", subject=point, measurements=figures)
    return CheckState(CheckId(host, check, point), Status.OK, NOON, found, NOON)


@pytest.mark.parametrize(
    ("hosts", "states", "seen"),
    [
        ({"db1": Host()}, [watched("db1", "/", 5)], Room("db1:/", 5)),
        ({"main": Host(address="db1")}, [watched("main", "/", 5)], Room("main:/", 5)),
        ({"main": Host(address="10.0.0.5")}, [watched("main", "/", 5)], Room("main:/", 5)),
        (
            {"db1": Host()},
            [watched("db1", "/", 5), watched("db1", "/var/lib", 6), watched("db1", "/srv", 7)],
            Room("db1:/var/lib", 6),
        ),
        (
            {"db1": Host()},
            [watched("db1", "/var", 5), watched("db1", f"{FAR.directory}/pg_wal", 6)],
            Room(f"db1:{FAR.directory}/pg_wal", 6),
        ),
        # What was not heard of for too long, does not answer, or is of another host or check.
        ({"db1": Host()}, [watched("db1", "/", 5), watched("db1", "/var", None)], None),
        ({"db1": Host(), "db2": Host()}, [watched("db2", "/", 5)], None),
        ({"db1": Host()}, [watched("db1", "/", 5, "disk_speed")], None),
        ({"db2": Host(address="db2")}, [watched("db2", "/", 5)], None),
        ({}, [watched("", "/", 5)], None),
    ],
)
def test_of_another_machine_what_the_watch_sees_of_it_is_told(
    hosts: dict[str, Host], states: list[CheckState], seen: Room | None
) -> None:
    assert room_elsewhere(FAR, hosts, states) == seen
