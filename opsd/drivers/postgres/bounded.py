"""What is asked of a server ends: after its time, or when it shall stop."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import psycopg

from opsd.drivers.process import Stop
from opsd.errors import Cancelled, OpsdError, TimedOut

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0  # for the server to end a query that it was asked to end


@contextmanager
def bounded(
    raw: psycopg.Connection[Any], query: str, limit: timedelta, stop: Stop
) -> Iterator[None]:
    """End what is asked in this block when its time is over or it shall stop.

    Raises `TimedOut`, which quotes the query, and `Cancelled`.
    """
    broken: list[OpsdError] = []
    over = threading.Event()
    deadline = time.monotonic() + limit.total_seconds()

    def watch() -> None:
        while not over.wait(_POLL_SECONDS):
            if stop.requested:
                broken.append(Cancelled("run.cancelled"))
            elif time.monotonic() > deadline:
                broken.append(TimedOut("database.timed_out", limit=limit, detail=query))
            if broken:
                _end(raw, over)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except psycopg.Error as error:
        if broken:
            raise broken[0] from error
        raise
    finally:
        over.set()
        watcher.join()
    if broken:
        raise broken[0]


def cut(raw: psycopg.Connection[Any]) -> None:
    """End a connection under whoever waits for it: a frozen server would never answer."""
    try:
        with socket.socket(fileno=os.dup(raw.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):  # closed meanwhile
        return


def _end(raw: psycopg.Connection[Any], over: threading.Event) -> None:
    """Cancel, again and again, for between two queries it ends neither; and then cut."""
    patience = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < patience:
        with suppress(psycopg.Error):
            raw.cancel_safe(timeout=_GRACE_SECONDS)
        if over.wait(_POLL_SECONDS):
            return
    cut(raw)
