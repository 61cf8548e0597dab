"""How a base copy lies in a directory: the cluster, and its tablespaces beside it.

And below which names it lies among opsd's own objects in a repository (`opsd.tasks.wal.copies`).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from opsd.drivers.postgres.arriving import SPACES
from opsd.drivers.storage import Storage

DATA = "cluster"
PLACES = "tablespaces"
WAL = "wal"  # what is replayed onto it
BASE, PACKS = "base", "packs"
LABEL, MANIFEST = "backup_label", "backup_manifest"  # of the cluster


def place_of(path: str) -> str:
    """Where something of a cluster lies in a copy, by its path below the cluster's directory."""
    below = PurePosixPath(path)
    if below.parts[:1] == (SPACES,) and below.parts[1:]:
        return str(PurePosixPath(PLACES, *below.parts[1:]))
    return str(PurePosixPath(DATA, below))


def settle_places(home: Path, at: Path | None = None) -> None:
    """Let a cluster below `home` find its tablespaces there; with `at`, where it will be moved."""
    links = home / DATA / SPACES
    for place in (home / PLACES).iterdir() if (home / PLACES).exists() else ():
        link = links / place.name
        link.unlink(missing_ok=True)
        link.symlink_to((at or home) / PLACES / place.name)


def members(storage: Storage) -> tuple[tuple[str, str], ...]:
    """The sets and members of which there are base copies."""
    found = {tuple(one.name.split("/")[1:3]) for one in storage.own(BASE)}
    return tuple(sorted((name, member) for name, member in found))
