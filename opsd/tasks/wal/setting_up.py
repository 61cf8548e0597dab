"""What has to be set on a server so that its log is received and commits wait for it.

A plan is data: what it shows is what is done, statement by statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from opsd.catalogue import Size
from opsd.drivers.postgres import quoted
from opsd.drivers.postgres.replication import Ground, visiting
from opsd.errors import OpsdError, Refused
from opsd.policy.protection import names
from opsd.policy.retaining import retaining
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.room import Room, room
from opsd.wal import Advice, Change

_SPARE = 2  # senders for base copies and for whoever comes back before it was seen to be gone
_APPLIED = "remote_apply"
_WEAK = frozenset({"off", "local", "remote_write", _APPLIED})


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be changed on the server of a member, in this order, and what a person should know.

    Not `ready`: commits are not made to wait yet, for too few receive the log: they would hang.
    """

    log: Log
    changes: tuple[Change, ...]
    advice: tuple[Advice, ...]
    ready: bool


def plan(log: Log) -> Planned:
    """Look at the server. Raises `DatabaseFailed`; `Refused` for one that is a standby."""
    with visiting(log.database) as server:
        ground, free = server.ground(log.wal.role, log.commit), room(server.place)
    if ground.seen.recovering:
        raise Refused("wal.setup_standby", name=log.subject)
    waits = [one.where for one in ground.seen.weak if one.value.lower() == _APPLIED]
    if waits:
        raise Refused("wal.remote_apply", detail="\n".join(filter(None, waits)))
    ready = len(ground.seen.live(log.applications)) >= log.wal.wait_for
    advice = (*_advice(log, ground, ready), *_room(log, ground, free))
    return Planned(log, tuple(_changes(log, ground, ready)), advice, ready)


def carry_out(planned: Planned) -> None:
    """Do what the plan shows. Raises `DatabaseFailed` at the first statement that is refused."""
    with visiting(planned.log.database) as server:
        for change in planned.changes:
            server.change(change.statement)


def _changes(log: Log, ground: Ground, ready: bool) -> Iterator[Change]:
    yield from _role(log, ground)
    capacity, settings = tuple(_capacity(log, ground)), tuple(_settings(log, ground, ready))
    yield from capacity  # slots need it
    for name in log.wal.receivers:
        slot = log.wal.slot(name)
        if ground.seen.slot(slot) is None:
            statement = f"SELECT pg_create_physical_replication_slot('{slot}', true)"
            yield Change(statement, "wal.why_slot")
    yield from settings
    if capacity or settings:
        yield Change("SELECT pg_reload_conf()", "wal.why_reload")


def _settings(log: Log, ground: Ground, ready: bool) -> Iterator[Change]:
    limit = f"{max(int(log.wal.slot_limit) >> 20, 1)}MB"
    if ground.settings["max_slot_wal_keep_size"] != limit.removesuffix("MB"):
        statement = f"ALTER SYSTEM SET max_slot_wal_keep_size = '{limit}'"
        yield Change(statement, "wal.why_slot_limit")
    if ground.settings.get("summarize_wal") == "off":  # PostgreSQL 17 brought it
        yield Change("ALTER SYSTEM SET summarize_wal = 'on'", "wal.why_summaries")
    if ground.seen.commit in _WEAK:
        yield Change("ALTER SYSTEM SET synchronous_commit = 'on'", "wal.why_commit")
    wanted = names(log.applications, log.wal.wait_for)
    if ready and ground.seen.names != wanted:
        yield Change(f"ALTER SYSTEM SET synchronous_standby_names = '{wanted}'", "wal.why_names")


def _role(log: Log, ground: Ground) -> Iterator[Change]:
    role, asking = quoted(log.wal.role), quoted(ground.user)
    if ground.role is None:
        yield Change(f"CREATE ROLE {role} LOGIN REPLICATION NOINHERIT", "wal.why_role")
    elif not ground.role.replication:
        yield Change(f"ALTER ROLE {role} REPLICATION", "wal.why_role")
    if not ground.monitor:
        yield Change(f"GRANT pg_monitor TO {asking}", "wal.why_monitor")
    if log.wal.fall_back_after is not None and not ground.may_fall_back:
        yield Change(
            f"GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO {asking}",
            "wal.why_fall_back",
        )
        yield Change(f"GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {asking}", "wal.why_fall_back")


def _capacity(log: Log, ground: Ground) -> Iterator[Change]:
    settings, needed = ground.settings, len(log.wal.receivers) + _SPARE
    if settings["wal_level"] == "minimal":
        yield Change("ALTER SYSTEM SET wal_level = 'replica'", "wal.why_level", restart=True)
    for setting in ("max_wal_senders", "max_replication_slots"):
        if int(settings[setting]) < needed:
            statement = f"ALTER SYSTEM SET {setting} = {needed}"
            yield Change(statement, "wal.why_senders", restart=True)


def _advice(log: Log, ground: Ground, ready: bool) -> Iterator[Advice]:
    if len(log.wal.receivers) == 1:
        yield Advice("wal.lone_receiver", {"name": next(iter(log.wal.receivers))})
    elif len(log.wal.receivers) == log.wal.wait_for:
        yield Advice("wal.none_to_spare", {"count": log.wal.wait_for})
    if not ready:
        yield Advice("wal.not_ready", {"count": log.wal.wait_for})
    if ground.role and (ground.role.superuser or ground.role.more):
        more = ("SUPERUSER", *ground.role.more) if ground.role.superuser else ground.role.more
        yield Advice("wal.role_may_more", {"role": log.wal.role, "more": list(more)})
    yield from _unsafe(log, ground)
    if ground.role is None:
        yield Advice("wal.password", {"role": log.wal.role})
    try:
        if ground.role is not None:
            log.programs().identify(log.connection(next(iter(log.wal.receivers))))
    except OpsdError as error:
        yield Advice("wal.no_way_in", {"role": log.wal.role, "said": error.detail.strip()})


def _room(log: Log, ground: Ground, room: Room | None) -> Iterator[Advice]:
    """What slots may come to must fit on the server's own disk, where that can be seen."""
    if room is None:
        return
    kept = [slot.retained for slot in ground.seen.slots]
    under = retaining(kept, log.wal.slot_limit, room.free, log.wal.min_free)
    if not under.fits:
        told = {"limit": log.wal.slot_limit, "free": Size(under.free), "place": room.place}
        yield Advice("wal.slot_beyond_room", told)


def _unsafe(log: Log, ground: Ground) -> Iterator[Advice]:
    for one in ground.seen.weak:
        if one.where:
            yield Advice("wal.stray_commit", {"where": one.where, "value": one.value})
        elif one.setting != "synchronous_commit":  # which is changed
            yield Advice("wal.unsafe_setting", {"setting": one.setting})
    if ground.settings["data_checksums"] == "off":
        yield Advice("wal.no_checksums", {"name": log.subject})
