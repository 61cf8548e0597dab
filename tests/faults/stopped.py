"""A real restic, stopped in the middle, so that its lock lies in the repository."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.site import Site

PATIENCE = 30.0


@contextmanager
def stopped_check(site: Site, host: str = "") -> Iterator[int]:
    """A real `restic check`, stopped in the middle, so that it holds its exclusive lock.

    With a `host` it takes this machine for that one.
    """
    program: tuple[str, ...] = ("restic", "--no-cache", "check")
    if host:
        program = ("unshare", "--uts", "sh", "-c", f"hostname {host} && exec {' '.join(program)}")
    env = {
        **os.environ,
        "RESTIC_REPOSITORY": str(site.repository),
        "RESTIC_PASSWORD_FILE": str(site.base / "password"),
    }

    def locked() -> bool:
        """Whether the lock has its final name: before, restic is only writing it."""
        return any(len(found.name) == 64 for found in (site.repository / "locks").iterdir())

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with subprocess.Popen(program, env=env, stdout=subprocess.DEVNULL) as restic:
            while not locked() and restic.poll() is None:
                time.sleep(0.0005)
            restic.send_signal(signal.SIGSTOP)
            try:
                if locked():
                    yield restic.pid
                    return
            finally:
                restic.send_signal(signal.SIGCONT)
                restic.wait(PATIENCE)
    raise AssertionError("restic check was always done before it could be stopped")
