"""What opsd itself does to a host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from opsd.tasks.kit import Kit
from opsd.tasks.status import unclosed

PROBE: Final = "probe"
BACKUP: Final = "backup"


class Disturbances:
    """What opsd itself does on a host just now that spoils the answers of others there.

    A run counts while it holds its lease: one that died disturbs nothing.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._probed: dict[str, int] = {}
        self._lock = Lock()

    def __call__(self, host: str) -> frozenset[str]:
        """The words for it, as `Check.disturbed_by` has them."""
        found = {PROBE} if self._probed.get(host) else set()
        if self._here(host) and unclosed(self._kit)[0]:
            found.add(BACKUP)
        return frozenset(found)

    @contextmanager
    def probing(self, host: str) -> Iterator[None]:
        """A probe that loads the host goes on meanwhile."""
        self._add(host, 1)
        try:
            yield
        finally:
            self._add(host, -1)

    def _add(self, host: str, one: int) -> None:
        with self._lock:
            self._probed[host] = self._probed.get(host, 0) + one

    def _here(self, host: str) -> bool:
        found = self._kit.config.hosts.get(host)
        return found is not None and found.address is None
