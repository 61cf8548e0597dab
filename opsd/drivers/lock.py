"""Leases on this machine: held by a file lock, so that they end when their holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from opsd.drivers.process import NEVER, Stop
from opsd.errors import Cancelled

_POLL_SECONDS = 0.2


class Busy(Exception):
    """Somebody else holds the lease: `holder` is what they wrote into it."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def lease(
    path: Path, holder: str, *, wait: timedelta = timedelta(), stop: Stop = NEVER
) -> Iterator[timedelta]:
    """Hold the lease at `path`; gives how long it was waited for. Raises `Busy` after `wait`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = time.monotonic()
    while (descriptor := _take(path)) is None:
        if time.monotonic() - began >= wait.total_seconds():
            raise Busy(_holder(path))
        if stop.requested:
            raise Cancelled("lock.cancelled", holder=_holder(path))
        time.sleep(_POLL_SECONDS)
    try:
        with suppress(OSError):  # the name is for people: a full disk keeps nobody from holding
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"holder": holder, "pid": os.getpid()}).encode(), 0)
        yield timedelta(seconds=time.monotonic() - began)
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a living process holds the lease at `path`; of what we may not look at, we say so."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        return not _taken(descriptor)
    finally:
        os.close(descriptor)


def _take(path: Path) -> int | None:
    """The lease as an open file, if it was free; None where it was held, or removed meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if _taken(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return "?"
    if not isinstance(found, dict):
        return "?"
    return f"{found.get('holder')} (pid {found.get('pid')})"
