"""A proof ends before it fills a disk that others live on: a database may lie beside scratch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opsd.drivers import system
from opsd.errors import Cancelled, ScratchFull
from opsd.policy import preflight
from opsd.tasks.proving.bench import Bench

_TICK_SECONDS = 0.3


@contextmanager
def guarded(bench: Bench) -> Iterator[None]:
    """Stop the proof, and nothing else, when room gets short; `ScratchFull` is raised then."""
    over, short = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_TICK_SECONDS):
            room = system.space(bench.kit.config.scratch)
            if room.free < preflight.spare_room(room.total):
                short.set()
                bench.kit.stop.request()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    full = ScratchFull("scratch.full", detail=f"{bench.scratch}: ended before the disk was full")
    try:
        yield
    except Cancelled as ended:
        if not short.is_set():
            raise
        raise full from ended
    finally:
        over.set()
        watcher.join()
    if short.is_set():
        raise full
