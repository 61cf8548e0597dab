"""Where runs of this process tell how far they are, for whoever asks."""

from __future__ import annotations


class Line:
    """The line of one backup set on the board; a watcher of its run."""

    def __init__(self) -> None:
        self._bytes: tuple[int, int] = (0, 0)
        self._beside: list[Line] = []

    def phase(self, name: str, subject: str = "") -> None:
        """A new phase begins: nothing of it is done yet."""
        del name, subject
        self._bytes = (0, 0)

    def beside(self) -> Line:
        """A line of what goes on at the same time; the ratio is of both together."""
        line = Line()
        self._beside.append(line)
        return line

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` bytes of this phase."""
        self._bytes = (done, total)

    def clear(self) -> None:
        """The run is over."""
        self._bytes = (0, 0)
        self._beside.clear()

    @property
    def ratio(self) -> float | None:
        """The part of the present phases that is done; nothing while that is not known."""
        known = [told for told in self.told if told[1] > 0]
        done, total = sum(d for d, _ in known), sum(t for _, t in known)
        return min(1.0, done / total) if total > 0 else None

    @property
    def told(self) -> list[tuple[int, int]]:
        """Bytes done and in all, of this and of what goes on beside it."""
        return [self._bytes, *(told for line in tuple(self._beside) for told in line.told)]


class Board:
    """One line for each backup set. Lines are made before they are read and never taken away."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def line(self, backup_set: str) -> Line:
        """The line of a backup set."""
        return self._lines.setdefault(backup_set, Line())
