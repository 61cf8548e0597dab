"""The room under a server's own log: what its slots keep for receivers must fit there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opsd.config.hosts import Host
from opsd.drivers import cluster, system
from opsd.drivers.postgres.place import Place
from opsd.model import CheckState

_CHECK, _FREE = "filesystems", "opsd_host_filesystem_avail_bytes"


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free at a place, be it of this machine or of another."""

    place: str
    free: int


Elsewhere = Callable[[Place], Room | None]


def room(place: Place | None) -> Room | None:
    """What is free where the server's log lies on this machine; None where it is not known.

    At a loopback address the far end of a tunnel answers as well: there the data directory must be
    seen to be that server's. Who may not look into it sees the disk of the directory itself.
    """
    if place is None or not (place.by_socket or place.by_loopback):
        return None
    found = cluster.system_of(place.directory)
    if found != place.system and (found or not place.by_socket):
        return None
    space = system.space_at(place.log, place.directory)
    return Room(str(space.path), space.free) if space else None


def room_elsewhere(
    place: Place, hosts: Mapping[str, Host], states: Iterable[CheckState]
) -> Room | None:
    """What the watch saw free on the host that the connection names; None where it saw nothing.

    What is too old to say anything has no figure any more.
    """
    host = next((n for n, one in hosts.items() if {n, one.address} & place.names), None)
    found = {
        state.id.subject: state.result
        for state in states
        if (state.id.host, state.id.check) == (host, _CHECK)
    }
    point = next((str(one) for one in (place.log, *place.log.parents) if str(one) in found), None)
    if point is None:
        return None
    free = (one.value for one in found[point].measurements if one.metric == _FREE)
    return next((Room(f"{host}:{point}", int(one)) for one in free), None)
