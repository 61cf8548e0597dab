"""Where a configuration was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a configuration was written: its file, and the line and column of each option."""

    file: str = field(default="-", compare=False)
    places: Mapping[_Location, tuple[int, int]] = field(default_factory=dict, compare=False)

    def place(self, location: _Location) -> tuple[int, int]:
        """Line and column of an option, or of the nearest thing around it that is written."""
        while location not in self.places and location:
            location = location[:-1]
        return self.places.get(location, (1, 1))
