"""The dossier system as one thing: its database, its scans, and the directory that holds them."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from opsd.demo import load, schema
from opsd.demo.dataset import Office, Scale
from opsd.demo.day import Day, next_day, play
from opsd.demo.psql import ask, feeding
from opsd.demo.scans import Shelf
from opsd.demo.stray import end_stray, stray
from opsd.drivers import cluster
from opsd.errors import DatabaseFailed, Refused, TimedOut, UsageError

_VERSION = 1
_MARKER, _MARKER_PART = "opsd-demo.json", "opsd-demo.json.part"
_MAKING, _COMPLETE = "making", "complete"
# Traversable, so that the account of PostgreSQL reaches its own directory below.
_MODE = 0o711


class DossierSystem:
    """A dossier system below `directory`, of the size and seed of `scale`.

    `database/` is the cluster, `scans/` the tree, `work/` where files are completed, and a marker
    says whose directory it is. The database server ends with the process that started it.
    """

    def __init__(self, directory: Path, scale: Scale | None = None) -> None:
        self.directory: Final = directory.absolute()  # a socket's directory has to be
        self.scale: Final = scale or Scale()
        self.cluster: Final = cluster.Cluster(self.directory / "database", cluster.newest())

    @classmethod
    def at(cls, directory: Path) -> DossierSystem:
        """The complete system that `directory` holds. Raises `UsageError` when there is none."""
        marker = _read_marker(directory)
        if marker is None or marker["state"] != _COMPLETE:
            raise UsageError("demo.nothing_here", directory=directory)
        if marker["version"] != _VERSION:
            raise Refused("demo.another_scale", directory=directory)
        return cls(directory, Scale(**marker["scale"]))

    @property
    def connection(self) -> str:
        """A libpq connection string to the database of dossiers, as the cluster's superuser."""
        return self.cluster.connection(schema.DATABASE)

    @property
    def scans(self) -> Path:
        """The root of the scans; `attachment.path` is relative to it."""
        return self.directory / "scans"

    @property
    def answers(self) -> bool:
        """Whether the database answers, whichever process started it."""
        try:
            return ask(self.connection, "SELECT 1", limit=timedelta(seconds=5)) == [("1",)]
        except (DatabaseFailed, TimedOut):
            return False

    def create(self) -> None:
        """Make the system, once; what an interrupted creation left is made anew.

        Raises `Refused` for a directory that is not a demo of ours, or one of another scale.
        """
        if _claim(self.directory, self.scale) != _COMPLETE:
            self._build()

    def start(self) -> None:
        """Start the database. Raises `Refused` when another process runs it already."""
        if found := stray(self.cluster.data):
            raise Refused("demo.runs_already", directory=self.directory, pid=str(found))
        self.cluster.start()

    def stop(self) -> None:
        """Stop the database in order; nothing happens where it does not run."""
        self.cluster.stop()

    def let_a_day_pass(self, day: int, share: float = 0.01) -> Day:
        """Let day `day` (1 is the first) pass: about `share` of the dossiers arrive or change.

        The database must run. Raises `DatabaseFailed`; then the day has not happened.
        """
        return play(self.connection, Office(self.scale), self._shelf, day, share)

    def next_day(self) -> int:
        """The number of the day after the newest dossier came in; the database must run."""
        return next_day(self.connection)

    def remove(self) -> None:
        """Stop what runs in the directory, and remove it. Refuses what is not a demo of ours."""
        if not self.directory.exists():
            return
        _check_ours(self.directory)
        self.cluster.stop()
        _write_marker(self.directory, _MAKING, self.scale)  # what an interruption leaves is ours
        self._empty()
        shutil.rmtree(self.directory)

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.scans, self.directory / "work", self.scale.seed)

    def _build(self) -> None:
        self._empty()
        for path in (self.scans, self._shelf.workplace):
            path.mkdir(mode=0o755)
        # Nothing is lost by a crash here: a half-made system is made anew.
        fast = cluster.Cluster(
            self.cluster.directory, self.cluster.major, settings=cluster.THROWAWAY
        )
        fast.create()
        fast.start()
        try:
            ask(fast.connection(), schema.GLOBALS)
            with feeding(self.connection, self._shelf.workplace) as stream:
                load.history(stream, Office(self.scale), self._shelf)
        finally:
            fast.stop()
        _write_marker(self.directory, _COMPLETE, self.scale)

    def _empty(self) -> None:
        """Stop and remove everything except the marker."""
        end_stray(self.cluster.data)
        for path in (self.cluster.directory, self.scans, self._shelf.workplace):
            if path.exists():
                shutil.rmtree(path)


def _claim(directory: Path, scale: Scale) -> str:
    """Make the directory ours and say what it holds: a complete system, or nothing yet."""
    if not directory.exists():
        directory.mkdir(mode=_MODE, parents=True)
        directory.chmod(_MODE)
    marker = _check_ours(directory)
    wanted = {"version": _VERSION, "scale": asdict(scale)}
    if marker is not None and marker["state"] == _COMPLETE:
        if {name: marker[name] for name in wanted} != wanted:
            raise Refused("demo.another_scale", directory=directory)
        return _COMPLETE
    _write_marker(directory, _MAKING, scale)
    return _MAKING


def _check_ours(directory: Path) -> dict[str, Any] | None:
    """The marker of a directory that is ours, none of an empty one; refuses any other."""
    seen = directory.lstat()
    ours = stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid()
    marker = _read_marker(directory) if ours else None
    if not ours or (marker is None and any(p.name != _MARKER_PART for p in directory.iterdir())):
        raise Refused("demo.foreign_directory", directory=directory)
    return marker


def _read_marker(directory: Path) -> dict[str, Any] | None:
    try:
        marker: dict[str, Any] = json.loads((directory / _MARKER).read_text())
    except (OSError, ValueError):
        return None
    return marker


def _write_marker(directory: Path, state: str, scale: Scale) -> None:
    """Replace the marker in one step."""
    text = json.dumps({"version": _VERSION, "state": state, "scale": asdict(scale)})
    part = directory / _MARKER_PART
    part.write_text(text)
    part.replace(directory / _MARKER)
