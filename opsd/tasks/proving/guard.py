"""A proof ends before it fills a disk that others live on: a database may lie beside scratch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opsd.errors import Cancelled, DatabaseFailed, ScratchFull, ToolFailed
from opsd.policy import preflight
from opsd.tasks import room
from opsd.tasks.proving.bench import Bench

_TICK_SECONDS = 0.3


@contextmanager
def guarded(bench: Bench) -> Iterator[None]:
    """Stop the proof, and nothing else, when room gets short; `ScratchFull` is raised then.

    What a throwaway server says that has no room is no word about the recovery point.
    """
    over, short = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_TICK_SECONDS):
            if _short(bench):
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
    except (DatabaseFailed, ToolFailed) as failed:
        if not short.is_set() and not _short(bench):
            raise
        raise full from failed
    finally:
        over.set()
        watcher.join()
    if short.is_set():
        raise full


def _short(bench: Bench) -> bool:
    return bool(preflight.judge_room(room.at(bench.kit.config.scratch, 0)))
