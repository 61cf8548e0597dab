"""opsd as a process that may be killed, stopped or starved: `python -m tests.faults.child`.

It says each phase on standard output, and fills a disk when a certain one begins.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from opsd import assembly
from opsd.config.load import load
from opsd.errors import OpsdError
from opsd.model import Task
from opsd.tasks.kit import Nobody
from tests import cheap
from tests.faults.telling import WORK, Ward
from tests.site import ROOT, SET, Site

_PATIENCE = 60.0


class Announcer(Nobody):
    """Says each phase; when `moment` begins, `place` is filled to the last byte."""

    def __init__(self, moment: str, place: Path | None) -> None:
        self._moment, self._place = moment, place

    def phase(self, name: str, subject: str = "") -> None:
        print(f"{name} {subject}\n", end="", flush=True)  # whole: phases begin in several threads
        if self._place is not None and f"{name} {subject}".startswith(self._moment):
            fill(self._place)
            self._place = None

    def advance(self, done: int, total: int) -> None:
        """Nothing."""


def fill(place: Path) -> None:
    """Take all the room there is."""
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as sink:
        for step in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    sink.write(b"\xff" * step)
            except OSError:
                continue


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("task", type=Task)
    parser.add_argument("--fill", nargs=2, default=("", None))
    given = parser.parse_args()
    cheap.take_over()
    moment, place = given.fill
    announcer = Announcer(moment, Path(place) if place else None)
    kit = assembly.assemble(load(given.config), watcher=announcer)
    try:
        WORK[given.task](kit, SET)
    except OpsdError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        kit.store.close()
    return 0


def argv(site: Ward, task: Task, *more: str) -> tuple[str, ...]:
    """The command line of a child."""
    return (sys.executable, "-m", "tests.faults.child", str(site.config_file), task.value, *more)


@dataclass
class Child:
    """A child that runs, seen from its parent."""

    process: subprocess.Popen[bytes]
    phases: list[str] = field(default_factory=list)

    def until(self, phase: str, times: int = 1) -> None:
        """Read on until `phase` was announced so many times."""
        assert self.process.stdout is not None
        while sum(p.startswith(phase) for p in self.phases) < times:
            assert select.select([self.process.stdout], [], [], _PATIENCE)[0], self.phases
            line = self.process.stdout.readline().decode().strip()
            assert line, f"{phase} never came: {self.phases}"
            self.phases.append(line)

    def family(self) -> list[psutil.Process]:
        """The processes below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> list[psutil.Process]:
        """`kill -9`, and those that were below it at that moment."""
        self.process.send_signal(signal.SIGSTOP)
        family = self.family()
        self.process.kill()
        self.process.wait(_PATIENCE)
        return family


@contextmanager
def child(site: Ward, task: Task) -> Iterator[Child]:
    """Start a child that does `task`; whatever happens, it does not stay."""
    with subprocess.Popen(
        argv(site, task), cwd=ROOT, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
    ) as process:
        try:
            yield Child(process)
        finally:
            if process.poll() is None:
                process.kill()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether they all ended, given a little while."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):
            return True
        time.sleep(0.02)
    print([(p.pid, p.cmdline()) for p in processes if p.is_running()])
    return False


def start_again(site: Site) -> None:
    """After a `kill -9` the old backends must be gone before PostgreSQL takes its memory again."""
    data = str(site.system.cluster.data)
    assert gone([p for p in psutil.process_iter() if _works_in(p, data)])
    site.system.start()


def _works_in(process: psutil.Process, directory: str) -> bool:
    try:
        return process.cwd() == directory
    except psutil.Error:
        return False


def in_a_mount_of_its_own(size: str, place: Path, command: tuple[str, ...]) -> tuple[str, ...]:
    """`command` with a small disk at `place`, holding what is there; it ends with the command."""
    as_user = ("--map-current-user", "--keep-caps") if os.geteuid() else ()
    script = (
        'set -e; place=$1; size=$2; shift 2; old=$(mktemp -d "$place.XXXX"); '
        'cp -a "$place/." "$old/"; mount -t tmpfs -o "mode=0711,size=$size" tmpfs "$place"; '
        'cp -a "$old/." "$place/"; rm -r "$old"; exec "$@"'
    )
    return ("unshare", *as_user, "--mount", "sh", "-c", script, "sh", str(place), size, *command)


def insist_on_mounts(place: Path) -> None:
    """Fail and say what is missing where this account may not make a small disk for itself."""
    tried = subprocess.run(
        in_a_mount_of_its_own("1m", place, ("true",)), capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, (
        "full disks cannot be tried here: it takes root, or user namespaces for ordinary accounts "
        "(sysctl kernel.unprivileged_userns_clone=1; in a container, CAP_SYS_ADMIN): "
        + tried.stderr
    )


if __name__ == "__main__":
    sys.exit(main())
