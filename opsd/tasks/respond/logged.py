"""How the log of a database is received just now, as playbooks recall it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from opsd.catalogue import Size
from opsd.drivers import system
from opsd.drivers.postgres.replication import ServerSeen, reach
from opsd.errors import OpsdError
from opsd.tasks.respond.means import Means
from opsd.tasks.wal.log import Log, logs
from opsd.wal import written

_BEHIND = 16 << 20  # bytes that a receiver lacks when it is worth a look


def log_of(means: Means, about: str) -> Mapping[str, object]:
    """The log that a result of the check `wal` is about; empty where none is."""
    found = next((one for one in logs(means.kit) if _covers(one, about)), None)
    if found is None:
        return {}
    rooms = {name: _free(found, name) for name in found.directories}
    told = [f"receiver {name}: {Size(free)} free" for name, free in rooms.items()]
    try:
        with closing(reach(found.database)) as server:
            seen = server.seen(found.commit)
    except OpsdError as error:
        return {"word": "unreachable", "told": "\n".join((str(error), *told))}
    full = any(free < found.wal.min_free for free in rooms.values())
    word = "disk" if full else _word(found, seen)
    return {"word": word, "told": "\n".join((*_server(found, seen), *told))}


def _covers(one: Log, about: str) -> bool:
    return about == one.subject or about.startswith((f"{one.subject}/", f"{one.subject}@"))


def _free(found: Log, name: str) -> int:
    """The room under a receiver; none where its disk does not answer as it should."""
    try:
        return system.space(found.directories[name]).free
    except OSError:
        return 0


def _word(found: Log, seen: ServerSeen) -> str:
    """What holds it up, from the worst; `received` where nothing does."""
    slots = [seen.slot(found.wal.slot(name)) for name in found.wal.receivers]
    if any(slot is not None and slot.status == "lost" for slot in slots):
        return "slot_lost"
    live, wanted = seen.live(found.applications), found.wal.wait_for
    waits_for = found.waits_for(seen.names)
    if not live:
        return "no_receiver"
    if len(live) < (waits_for or 0):
        return "too_few"
    if seen.weak:
        return "weakened"
    if waits_for != wanted:
        return "unprotected"
    if len(live) < len(found.applications):
        return "one_left"
    behind = (seen.flushed - one.flushed for one in live if one.flushed is not None)
    return "behind" if max(behind, default=0) > _BEHIND else "received"


def _server(found: Log, seen: ServerSeen) -> Iterator[str]:
    yield f"server: log to {written(seen.flushed)}, {seen.waiting} commits wait"
    yield f"synchronous_standby_names: {seen.names or '-'}"
    for one in seen.senders:
        at = written(one.flushed) if one.flushed is not None else "-"
        yield f"sender {one.application}: {one.state} {one.sync}, has it to {at}"
    for name in found.wal.receivers:
        slot = seen.slot(found.wal.slot(name))
        if slot is not None:
            kept = Size(slot.retained) if slot.retained is not None else "-"
            used = "active" if slot.active else "idle"
            yield f"slot {slot.name}: {used} {slot.status}, keeps {kept}"
