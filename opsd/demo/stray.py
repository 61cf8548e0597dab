"""A server of ours that another process started, found by the pid file in its data directory."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from opsd.errors import TimedOut

_FAST_SECONDS, _IMMEDIATE_SECONDS = 20.0, 10.0
_POLL_SECONDS = 0.05


def stray(data: Path) -> int | None:
    """The process id of a PostgreSQL server that runs on the data directory `data`.

    The pid file alone is not believed: the process must run PostgreSQL on this very directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return None
    return pid if argv[0].endswith(b"/postgres") and os.fsencode(data) in argv else None


def end_stray(data: Path) -> None:
    """End such a server: in order at first, at once when it lingers. Raises `TimedOut`."""
    for how, seconds in ((signal.SIGINT, _FAST_SECONDS), (signal.SIGQUIT, _IMMEDIATE_SECONDS)):
        deadline = time.monotonic() + seconds
        if (pid := stray(data)) is None:
            return
        os.kill(pid, how)
        while stray(data) is not None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    if stray(data) is not None:
        raise TimedOut("demo.does_not_end", directory=data)
