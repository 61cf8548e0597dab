"""The real daemon in a process of its own, with real restic: its whole life, as systemd sees it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import psutil
import pytest

from opsd.assembly import STORE
from opsd.cli.exit_codes import ExitCode
from opsd.clock import now
from opsd.model import Closing, Outcome, Run, Task
from opsd.store import Store
from tests.site import ROOT, workplace

T = TypeVar("T")
PATIENCE = 60.0
WATCHDOG = timedelta(seconds=2)
SET = """\
  {name}:
    repository: main
    schedule: "{at}"
    rpo: 24h
    rto: 4h
    prove: {{after_backup: false}}
    members:
      tree: {{kind: files, path: {base}/tree}}
"""
CONFIG = """\
language: en
demo: true
timezone: UTC
host: test-host
state: {base}/state
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
restic: {restic}
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB}}
backup_sets:
"""
# restic itself, only slow: a backup of the tree takes minutes.
SLOW = """\
#!/bin/sh
exec {restic} --limit-upload 100 "$@"
"""


def eventually(question: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Ask until the answer is something; fail when time is up."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.05)
    pytest.fail(f"never: {what}")


def clock_time(ago: timedelta) -> str:
    return f"{now() - ago:%H:%M}"


@dataclass(slots=True)
class Daemon:
    """A daemon that runs, and what it said."""

    base: Path
    process: subprocess.Popen[bytes]
    ear: socket.socket
    heard: list[str] = field(default_factory=list)

    def told(self, word: str, times: int = 1) -> bool:
        """Whether the service manager was told a word so often."""
        self.listen()
        return self.heard.count(word) >= times

    def listen(self) -> None:
        """Take what was said to the service manager: the line is short, and who speaks waits."""
        with suppress(BlockingIOError):
            while True:
                self.heard += self.ear.recv(4096).decode().splitlines()

    @property
    def log(self) -> list[dict[str, str]]:
        """The lines of the log."""
        text = (self.base / "log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def logged(self, text: str) -> bool:
        """Whether a line of the log has the text in it."""
        self.listen()
        return any(text in line["message"] for line in self.log)

    def get(self, path: str) -> str:
        """A page."""
        self.listen()
        with urllib.request.urlopen(self.url(path), timeout=10) as answer:  # noqa: S310  (ours)
            return str(answer.read().decode())

    def url(self, path: str) -> str:
        """Where a page is: what begins with `/-/` on the admin port."""
        port = "admin" if path.startswith("/-/") else "metrics"
        address = next(line["address"] for line in self.log if line.get("port") == port)
        return f"http://{address}{path}"

    def reload(self) -> tuple[int, str]:
        """Tell it over the admin port to read its configuration again."""
        try:
            url = self.url("/-/reload")
            with urllib.request.urlopen(url, b"", timeout=10) as answer:  # noqa: S310  (ours)
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str, labels: str = "") -> float | None:
        """A sample of the metrics page."""
        found = re.search(
            rf"^{re.escape(name + labels)} (\S+)$", self.get("/metrics"), re.MULTILINE
        )
        return float(found[1]) if found else None

    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


@dataclass(slots=True)
class Place:
    """Where daemons of one test live."""

    base: Path
    restic: str = "restic"
    program: tuple[str, ...] = ("opsd",)

    def configure(self, **sets: str) -> None:
        """Write a configuration with these sets, each with its time of day."""
        text = CONFIG.format(base=self.base, restic=self.restic)
        for name, at in sets.items():
            text += SET.format(base=self.base, name=name, at=at)
        self.config.write_text(text)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.base / "opsd.yaml"

    def runs(self, name: str = "one") -> tuple[tuple[Run, Closing | None], ...]:
        """The backups of a set, newest first."""
        with closing(Store(self.base / "state" / STORE)) as store:
            return store.runs(Task.BACKUP, name)

    def ended(self, name: str = "one") -> list[Outcome]:
        """How its backups ended."""
        return [closing.outcome for _, closing in self.runs(name) if closing]

    @contextmanager
    def daemon(self) -> Iterator[Daemon]:
        """A daemon, killed at the end if it still runs."""
        address = self.base / "notify"
        address.unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
            (self.base / "log").open("wb") as log,
        ):
            ear.bind(str(address))
            ear.setblocking(False)
            process = self.start(log.fileno(), NOTIFY_SOCKET=str(address))
            daemon = Daemon(self.base, process, ear)
            try:
                yield daemon
            finally:
                process.kill()
                process.wait()

    def start(self, stderr: int, **environment: str) -> subprocess.Popen[bytes]:
        """The process of a daemon, as the unit starts it."""
        watchdog = str(WATCHDOG // timedelta(microseconds=1))
        return subprocess.Popen(
            [sys.executable, "-m", *self.program, "run", "--config", str(self.config)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, "OPSD_LANGUAGE": "en", "WATCHDOG_USEC": watchdog, **environment},
        )

    @contextmanager
    def ready(self) -> Iterator[Daemon]:
        """A daemon that says it is ready."""
        with self.daemon() as daemon:
            eventually(lambda: daemon.told("READY=1"), "ready")
            yield daemon


@pytest.fixture
def place() -> Iterator[Place]:
    with workplace() as base:
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        (base / "tree").mkdir()
        (base / "tree" / "dossier.txt").write_text("một hồ sơ\n")
        yield Place(base)


@pytest.fixture
def slow(place: Place) -> Place:
    """A place where a backup takes minutes."""
    program = place.base / "slow-restic"
    program.write_text(SLOW.format(restic=shutil.which("restic")))
    program.chmod(0o755)
    place.restic = str(program)
    (place.base / "tree" / "noise").write_bytes(Random(7).randbytes(40 << 20))
    return place


def test_whichever_command_comes_first_a_proof_can_cross_the_state(place: Place) -> None:
    place.configure(one=clock_time(-timedelta(hours=2)))
    state, mask = place.base / "state", os.umask(0o077)
    try:
        with place.ready():
            assert state.stat().st_mode & 0o777 == 0o711
        shutil.rmtree(state)
        argv = [sys.executable, "-m", "opsd", "status", "--config", str(place.config)]
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        assert state.stat().st_mode & 0o777 == 0o711
    finally:
        os.umask(mask)


def test_a_slot_that_fell_due_while_it_was_down_is_run_at_once_and_once_only(place: Place) -> None:
    place.configure(one=clock_time(timedelta(hours=2)))
    with place.ready() as daemon:
        assert eventually(place.ended, "the end of the run") == [Outcome.SUCCEEDED]
        assert daemon.logged("one: late")
        run, _ = place.runs()[0]
        assert run.slot is not None
        assert timedelta(hours=2) <= run.opened_at - run.slot < timedelta(hours=2, minutes=2)
        own = '{backup_set="one"}'
        assert daemon.metric("opsd_backup_runs_total", own) == 1.0
        assert daemon.metric("opsd_scheduler_missed_runs_total", own) == 1.0
        following = daemon.metric("opsd_scheduler_next_run_timestamp_seconds", own)
        assert following == (run.slot + timedelta(days=1)).timestamp()
        assert daemon.end() == 0
    with place.ready() as daemon:
        eventually(lambda: daemon.told("WATCHDOG=1", times=3), "three signs of life")
        assert daemon.metric("opsd_backup_runs_total", own) == 1.0
        assert daemon.metric("opsd_backup_last_success_timestamp_seconds", own)
        assert daemon.end() == 0
    assert len(place.runs()) == 1


def test_a_set_of_one_repository_waits_for_the_other(place: Place) -> None:
    place.configure(one=clock_time(timedelta(hours=1)), two=clock_time(timedelta(hours=1)))
    with place.ready() as daemon:
        eventually(lambda: place.ended("one") and place.ended("two"), "both runs")
        assert daemon.end() == 0
    (first, end), (second, _) = sorted(
        (*place.runs("one"), *place.runs("two")), key=lambda found: found[0].opened_at
    )
    assert end is not None
    assert second.opened_at >= end.closed_at
    assert first.backup_set != second.backup_set


def test_the_end_comes_cleanly_in_the_middle_of_a_run(slow: Place) -> None:
    slow.configure(one=clock_time(timedelta(hours=1)))
    locks = slow.base / "repository" / "locks"
    with slow.ready() as daemon:
        eventually(lambda: locks.is_dir() and list(locks.iterdir()), "a lock of restic")
        assert daemon.metric("opsd_backup_in_progress", '{backup_set="one"}') == 1.0
        below = daemon.children()
        assert below
        assert daemon.end() == 0
        assert not [child for child in below if child.is_running()]
        assert daemon.told("STOPPING=1")
    assert slow.ended() == [Outcome.INTERRUPTED]
    assert list(locks.iterdir()) == []
    assert not list((slow.base / "state" / "runs").iterdir())


def test_a_run_that_was_cut_short_is_begun_again_when_it_comes_back(slow: Place) -> None:
    slow.configure(one=clock_time(timedelta(hours=1)))
    with slow.ready() as daemon:
        eventually(slow.runs, "a run")
        daemon.end(signal.SIGKILL)
    slow.restic = "restic"
    slow.configure(one=clock_time(timedelta(hours=1)))
    with slow.ready() as daemon:
        eventually(lambda: len(slow.ended()) == 2, "the second run")
        assert daemon.end() == 0
    assert slow.ended() == [Outcome.SUCCEEDED, Outcome.INTERRUPTED]


def test_a_wrong_configuration_changes_nothing_and_a_right_one_is_followed(place: Place) -> None:
    later = clock_time(timedelta(hours=-2))
    place.configure(one=later)
    successful = "opsd_config_last_reload_successful"
    planned = "opsd_scheduler_next_run_timestamp_seconds"
    with place.ready() as daemon:
        eventually(place.ended, "the run of yesterday's slot")
        right = place.config.read_text()
        place.config.write_text(right + "    rpo: soon\n    colour: blue\n")
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.metric(successful) == 0.0, "a failed reload")
        assert daemon.logged("colour")
        assert daemon.metric(planned, '{backup_set="one"}')
        place.config.write_text(right.replace("127.0.0.1:0", "127.0.0.1:9", 1))
        status, said = daemon.reload()
        assert status == 503
        assert "that takes a restart" in said
        place.configure(one=later, two=later)
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.metric(successful) == 1.0, "a good reload")
        assert daemon.metric(planned, '{backup_set="two"}')
        eventually(lambda: place.ended("two"), "a run of the new set")
        assert daemon.reload() == (200, "ok\n")
        assert daemon.told("RELOADING=1", times=4)
        assert daemon.told("READY=1", times=5)
        assert daemon.end() == 0
    assert len(place.runs("one")) == 1


def test_a_failing_run_is_recorded_and_the_daemon_lives_on(place: Place) -> None:
    place.configure(one=clock_time(timedelta(hours=1)))
    shutil.rmtree(place.base / "tree")
    with place.ready() as daemon:
        eventually(place.ended, "the end of the run")
        failures = "opsd_backup_run_failures_total"
        assert daemon.metric(failures, '{backup_set="one",reason="source"}') == 1.0
        assert (daemon.metric("opsd_log_messages_total", '{level="info"}') or 0) > 0
        before = len(daemon.heard)
        eventually(lambda: daemon.told("WATCHDOG=1") and len(daemon.heard) > before, "life")
        assert daemon.get("/-/ready") == "ok\n"
        assert daemon.end(signal.SIGINT) == 0
    assert place.ended() == [Outcome.FAILED]


def test_a_second_daemon_is_refused_and_leaves_the_first_alone(place: Place) -> None:
    place.configure(one=clock_time(timedelta(hours=1)))
    with place.ready() as daemon:
        second = place.start(subprocess.PIPE)
        _, said = second.communicate(timeout=PATIENCE)
        assert second.returncode == ExitCode.REFUSED
        assert f"another opsd runs on the directory {place.base}/state: opsd run".encode() in said
        assert daemon.get("/-/healthy") == "ok\n"
        assert daemon.end() == 0


def test_a_port_that_is_taken_is_told_before_anything_is_done(place: Place) -> None:
    place.configure(one=clock_time(timedelta(hours=1)))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        place.config.write_text(place.config.read_text().replace(":0\n", f":{port}\n", 1))
        refused = place.start(subprocess.PIPE)
        _, said = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == ExitCode.REFUSED
    assert f"cannot listen on 127.0.0.1:{port}: another program does".encode() in said
    assert place.runs() == ()


def test_it_says_when_the_next_run_is_and_shows_a_page_that_leads_on(place: Place) -> None:
    at = now() + timedelta(hours=3)
    place.configure(one=f"{at:%H:%M}")
    with place.ready() as daemon:
        told = f"STATUS=next: one {at:%Y-%m-%d %H:%M}:00 +00:00"
        eventually(lambda: daemon.told(told), "when the next run is")
        assert 'href="/metrics"' in daemon.get("/")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            daemon.get("/etc/passwd")
        assert daemon.end() == 0
