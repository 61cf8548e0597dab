"""Things that are made of files, and made anew when the files change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from opsd.errors import OpsdError

log = logging.getLogger(__name__)

Thing = TypeVar("Thing")
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Reread(Generic[Thing]):
    """What `make` makes. When a change cannot be used, what was made before stays in use."""

    def __init__(self, make: Callable[[], Thing], *files: Path) -> None:
        self._make = make
        self._files = files
        self._lock = threading.Lock()
        self._stamp = _stamp(files)
        self._made = make()

    def now(self) -> Thing:
        """What is made of the files as they are."""
        with self._lock:
            stamp = _stamp(self._files)
            if stamp != self._stamp:
                self._stamp = stamp
                self._renew()
            return self._made

    def _renew(self) -> None:
        names = ", ".join(map(str, self._files))
        try:
            self._made = self._make()
        except (OpsdError, OSError) as error:
            log.error("%s stays as it was: %s", names, error)  # noqa: TRY400
        else:
            log.info("%s was read again", names)


def _stamp(files: tuple[Path, ...]) -> _Stamp:
    return tuple(map(_state, files))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
