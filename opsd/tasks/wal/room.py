"""The room under a server's own log: what its slots keep for receivers must fit there."""

from __future__ import annotations

from opsd.drivers import cluster, system
from opsd.drivers.postgres.place import Place
from opsd.drivers.system import Space


def room(place: Place | None) -> Space | None:
    """What is free where the server's log lies on this machine; None where it is not known.

    At a loopback address the far end of a tunnel answers as well: there the data directory must be
    seen to be that server's. Who may not look into it sees the disk of the directory itself.
    """
    if place is None:
        return None
    found = cluster.system_of(place.directory)
    if found != place.system and (found or not place.by_socket):
        return None
    return system.space_at(place.directory / "pg_wal", place.directory)
