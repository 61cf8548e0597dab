"""What a receiver set aside of a time that its server left: kept below its own directory, and told.

Nothing of it is deleted: whoever went back may find out that it was needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_ASIDE = "aside-"  # begins no name of the log: whoever reads a receiver's directory passes it over


@dataclass(frozen=True, slots=True)
class Aside:
    """How many times something was set aside, and how large all of it is."""

    times: int = 0
    bytes: int = 0


def set_aside(directory: Path, paths: Iterable[Path], at: datetime) -> None:
    """Move files below the directory itself, which may be a mount of its own."""
    place = directory / f"{_ASIDE}{at:%Y%m%dT%H%M%SZ}"
    for path in paths:
        place.mkdir(mode=0o700, exist_ok=True)
        path.rename(place / path.name)


def places_aside(directory: Path) -> list[Path]:
    """Where something lies aside, the oldest first."""
    return sorted(directory.glob(f"{_ASIDE}*"))


def aside(directory: Path) -> Aside:
    """What lies aside there."""
    places = places_aside(directory)
    return Aside(len(places), sum(_size(path) for one in places for path in one.glob("*")))


def _size(path: Path) -> int:
    """Of a file that somebody may just be removing."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
