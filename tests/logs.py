"""A site whose log is received: what its configuration says, and the parts of a daemon about it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from opsd.daemon.wal import Wardens
from opsd.demo.psql import ask
from opsd.model import CheckResult
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.log import Log, logs_of
from opsd.wal import Segment
from tests.meanwhile import meanwhile
from tests.site import SET, Site

WAL = """\
        wal:
          receivers:
            one: {{directory: {base}/wal/one}}
            two: {{directory: {base}/wal/two}}
          ship_every: 1s
          slot_limit: 1GiB
          min_free: 1MiB
"""

FAR = """\
  far:
    url: {base}/far
    password_file: {base}/password
    min_free: 1MiB
    lock_wait: 0s
backup_sets:
"""

NEW_TIMELINE = {"restore_command": "false", "recovery_target_timeline": "current"}


def with_log(site: Site, more: str = "", wal: str = WAL) -> Site:
    """The same site, its log received."""
    line = f"        connection: {site.system.connection}\n"
    site.changes[line] = line + wal.format(base=site.base) + more
    return site


def with_far(site: Site) -> Site:
    """The same site, its log received, and kept in two repositories."""
    site.changes["backup_sets:\n"] = FAR.format(base=site.base)
    return with_log(site, "          repositories: [main, far]\n")


def until(what: Callable[[], object], seconds: float = 90) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


class Heard:
    """What a watch was told, the newest answer of each subject."""

    def __init__(self) -> None:
        self.results: dict[str, CheckResult] = {}
        self.causes: dict[str, set[str]] = {}
        self.times = 0

    def take(self, answers: Answers) -> None:
        """Hear."""
        self.times += 1
        for result in answers.results:
            self.results[result.subject] = result
            self.causes.setdefault(result.subject, set()).add(result.cause)

    def cause(self, subject: str) -> str | None:
        """What is wrong with a subject; empty when nothing is, None while nothing was told."""
        found = self.results.get(subject)
        return None if found is None else found.cause

    def figure(self, metric: str, **labels: str) -> float | None:
        """A figure of the newest answers."""
        for result in self.results.values():
            for one in result.measurements:
                if one.metric == metric and labels.items() <= dict(one.labels).items():
                    return one.value
        return None


def held_until_now(heard: Heard) -> None:
    """Wait until the repository has every commit there is."""
    now = datetime.now(UTC).timestamp()
    metric = "opsd_wal_repository_held_timestamp_seconds"
    until(lambda: (heard.figure(metric) or 0) > now, 60)


@contextmanager
def guarded(site: Site, *, leave: bool = False) -> Iterator[tuple[Kit, Log, Heard]]:
    """The site with its log received and guarded, and commits that wait for it.

    With `leave` the server ends in order, else at once.
    """
    with site.kit() as kit:
        setting_up.carry_out(setting_up.plan(_log(kit)))
    with watched(site, leave=leave) as (kit, log, heard):
        until(lambda: all(heard.cause(f"{log.subject}/{n}") == "" for n in log.wal.here))
        setting_up.carry_out(setting_up.plan(log))
        until(lambda: heard.cause(log.subject) == "")
        yield kit, log, heard


@contextmanager
def watched(site: Site, *, leave: bool = False) -> Iterator[tuple[Kit, Log, Heard]]:
    """The log received and guarded as it is, whatever comes of it."""
    with site.kit() as kit:
        heard = Heard()
        wardens = Wardens(kit, heard.take)
        wardens.adopt(kit.config)
        try:
            yield kit, _log(kit), heard
        finally:
            site.system.cluster.stop(signal.SIGINT if leave else signal.SIGQUIT)
            kit.stop.request()
            wardens.close()


def alone(site: Site) -> Log:
    """The log for who comes when all others are gone; what is opened for it ends with the site."""
    return _log(site.opened.enter_context(site.kit()))


def _log(kit: Kit) -> Log:
    return next(one for one in logs_of(kit, SET) if one.name == "database")


def sql(site: Site, statement: str) -> list[tuple[str, ...]]:
    """Ask the living database."""
    return ask(site.system.connection, statement)


@contextmanager
def busy(site: Site, statement: str) -> Iterator[None]:
    """Somebody commits all the time meanwhile."""

    def work(over: threading.Event) -> None:
        with psycopg.connect(site.system.connection, autocommit=True) as connection:
            while not over.is_set():
                connection.execute(statement)

    with meanwhile(work):
        yield


def a_moment_apart() -> datetime:
    """A moment more than a second, so a beat, behind what was and before what will be."""
    time.sleep(1.5)
    moment = datetime.now(UTC)
    time.sleep(1.5)
    return moment


def receivers(site: Site, name: str = "") -> list[int]:
    """The processes that receive, of this site alone; of one receiver, where it is named."""
    where = f"{site.base}/wal/{name} " if name else str(site.base)
    found = subprocess.run(
        ["pgrep", "-f", f"^[^ ]*pg_receivewal .*{where}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(pid) for pid in found.stdout.split()]


def hit(site: Site, number: signal.Signals, name: str = "") -> None:
    """Signal every receiver of this site, or the one of that name."""
    for pid in receivers(site, name):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(pid, number)


def objects(site: Site, repository: str = "repository") -> dict[str, Path]:
    """What of the log lies in a repository, by the names of its files."""
    found = (site.base / repository / "opsd-objects" / "wal").rglob("0*")
    return {path.name: path for path in found if path.is_file()}


def finished(site: Site, repository: str = "repository") -> list[str]:
    """The segments that lie whole in a repository."""
    return sorted(name for name in objects(site, repository) if Segment.of(name))


def spoil(path: Path) -> None:
    """One byte of an object is another one, as where a disk fails: nobody wrote it."""
    content, state = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def replaced(site: Site, copy: Path) -> None:
    """What lay there lies elsewhere."""
    data = site.system.cluster.data
    data.rename(data.with_name(f"abandoned.{copy.name}"))
    copy.rename(data)


def begins_a_new_timeline(site: Site, copy: Path | None = None) -> None:
    """As docs/wal.md tells it; a copy of the server is put back for that."""
    site.system.cluster.stop()
    recovers(site, copy)
    until(lambda: sql(site, "SELECT pg_is_in_recovery()") == [("f",)])


def recovers(site: Site, copy: Path | None, *, signal_file: str = "recovery.signal") -> None:
    """It goes to the end of its own log, and on a new timeline, where it is no standby."""
    server = site.system.cluster
    if copy is not None:
        replaced(site, copy)
    (server.data / signal_file).touch()
    before, server.settings = server.settings, {**server.settings, **NEW_TIMELINE}
    server.start()
    server.settings = before
