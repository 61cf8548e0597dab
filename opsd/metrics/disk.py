"""Free space of disks that may not answer: a dead network disk must not stop the scrape."""

from __future__ import annotations

import threading
from pathlib import Path

from opsd.drivers import system

_PATIENCE_SECONDS = 2.0


class Disks:
    """Asks each disk in a thread of its own, one at a time, and waits a little."""

    def __init__(self) -> None:
        self._asking: dict[Path, threading.Thread] = {}

    def free(self, path: Path) -> int | None:
        """The bytes free where `path` is; nothing when the disk does not answer or is not there."""
        found: list[int] = []
        asked = self._asking.get(path)
        if asked is not None and asked.is_alive():
            return None
        thread = threading.Thread(target=_ask, args=(path, found), daemon=True, name=f"disk {path}")
        self._asking[path] = thread
        thread.start()
        thread.join(_PATIENCE_SECONDS)
        return found[0] if found else None


def _ask(path: Path, found: list[int]) -> None:
    try:
        found.append(system.space(path).free)
    except OSError:
        return
