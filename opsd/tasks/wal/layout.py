"""How a base copy lies in a directory: the cluster, and its tablespaces beside it."""

from __future__ import annotations

from pathlib import Path

DATA = "cluster"
PLACES = "tablespaces"
WAL = "wal"  # what is replayed onto it


def settle_places(home: Path, at: Path | None = None) -> None:
    """Let a cluster below `home` find its tablespaces there; with `at`, where it will be moved."""
    links = home / DATA / "pg_tblspc"
    for place in (home / PLACES).iterdir() if (home / PLACES).exists() else ():
        link = links / place.name
        link.unlink(missing_ok=True)
        link.symlink_to((at or home) / PLACES / place.name)
