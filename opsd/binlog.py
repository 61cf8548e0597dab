"""The nouns of MariaDB's binary log: its files, places in it, and base copies to bring forward.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_FILE = re.compile(r"(.+)\.(\d{6,10})")
_SPOT = re.compile(r"(.+\.\d{6,10}):(\d{1,19})")


@dataclass(frozen=True, slots=True, order=True)
class LogFile:
    """One file of the log: the server's name for its log, and a number that goes up by one."""

    stem: str
    number: int
    digits: int = 6

    @staticmethod
    def of(name: str) -> LogFile | None:
        """The file of a name; None where it is no log's."""
        found = _FILE.fullmatch(name)
        return LogFile(found[1], int(found[2]), len(found[2])) if found else None

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.stem}.{self.number:0{self.digits}d}"


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the log: a file, and the byte in it up to which it is meant."""

    file: LogFile
    offset: int

    @staticmethod
    def of(text: str) -> Spot | None:
        """`fees-log.000003:1234`; None where it is none."""
        found = _SPOT.fullmatch(text)
        file = LogFile.of(found[1]) if found else None
        return Spot(file, int(found[2])) if found and file else None

    def __str__(self) -> str:
        return f"{self.file.name}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a file is there, in whole events; `last` is when the last of them was written.

    A file that is `closed` has an end, or another one was begun behind it: nothing will be added.
    """

    bytes: int = 0
    last: datetime | None = None
    closed: bool = False
    holed: bool = False  # there is more of it, behind a part that is missing


@dataclass(frozen=True, slots=True)
class Strand:
    """The log from its first file on, as far as nothing is missing; `gap` is what is."""

    files: Mapping[LogFile, Kept] = field(default_factory=dict)
    gap: LogFile | None = None

    @property
    def end(self) -> Spot | None:
        """How far it reaches."""
        last = max(self.files, default=None)
        return Spot(last, self.files[last].bytes) if last else None


def strand(files: Mapping[LogFile, Kept], first: LogFile | None = None) -> Strand:
    """What of these files hangs together, from `first` on, or from the oldest."""
    ordered = sorted(file for file in files if first is None or file >= first)
    if first is not None and first not in files:
        return Strand({}, first)
    found: dict[LogFile, Kept] = {}
    for number, file in enumerate(ordered):
        before = ordered[number - 1] if number else None
        if before is not None:
            if not files[before].closed:
                return Strand(found, before)
            if file.number != before.number + 1:
                return Strand(found, LogFile(before.stem, before.number + 1, before.digits))
        found[file] = files[file]
        if files[file].holed:
            return Strand(found, file)
    return Strand(found)


@dataclass(frozen=True, slots=True)
class BaseCopy:
    """A copy of a whole MariaDB server in a snapshot: the log is replayed onto it from `spot`."""

    id: str  # the run that took it
    repository: str
    snapshot: str
    root: str
    server: str
    version: int
    spot: Spot
    at: datetime
    bytes: int
