"""Commands end when they must, with everything they started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from opsd.drivers.process import Command, Stop, reading, run
from opsd.errors import Cancelled, TimedOut, ToolFailed
from tests.site import ROOT

SOON = timedelta(seconds=0.4)
LATER = timedelta(seconds=30)
# Starts a child that writes its own pid to $1 and hears no SIGTERM, then waits for it.
DEAF_CHILD = "(trap '' TERM; sh -c 'echo $PPID' > $1; while :; do sleep 1; done) & wait"


def sh(script: str, *arguments: Path, timeout: timedelta = LATER) -> Command:
    return Command(("sh", "-c", script, "sh", *map(str, arguments)), timeout)


def waited(told: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if told():
            return True
        time.sleep(0.01)
    return False


def pid_in(file: Path) -> int:
    assert waited(lambda: file.exists() and file.read_text().strip().isdigit())
    return int(file.read_text())


def dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_says_what_happened_whatever_the_exit_code() -> None:
    done = run(sh("echo out; echo err >&2; exit 3"))
    assert (done.exit_code, done.stdout, done.complaint) == (3, b"out\n", "err")


def test_hears_each_line_and_the_last_without_an_end() -> None:
    lines: list[bytes] = []
    run(sh("printf 'one\\ntwo\\n\\nlast'"), on_stdout=lines.append)
    assert lines == [b"one", b"two", b"", b"last"]


def test_keeps_the_end_of_a_very_long_output() -> None:
    done = run(sh("head -c 20000000 /dev/zero | tr '\\0' x; echo end"))
    assert done.stdout.endswith(b"xend\n")
    assert len(done.stdout) <= 1 << 22


def test_keeps_the_whole_where_that_is_asked_for() -> None:
    asked = replace(sh("head -c 20000000 /dev/zero | tr '\\0' x; echo end"), whole=True)
    assert len(run(asked).stdout) == 20_000_004


def test_a_deadline_ends_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(TimedOut):
        run(sh(DEAF_CHILD, tmp_path / "pid", timeout=timedelta(seconds=3)))
    assert waited(lambda: dead(pid_in(tmp_path / "pid")))


def test_a_stop_ends_the_whole_group(tmp_path: Path) -> None:
    stop = Stop()

    def wish() -> None:
        pid_in(tmp_path / "pid")
        stop.request()

    threading.Thread(target=wish).start()
    with pytest.raises(Cancelled):
        run(sh(DEAF_CHILD, tmp_path / "pid"), stop=stop)
    assert waited(lambda: dead(pid_in(tmp_path / "pid")))


def test_a_grandchild_that_keeps_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    done = run(sh("sleep 60 & echo $! > $1; echo done", tmp_path / "pid"))
    assert (done.exit_code, done.stdout) == (0, b"done\n")
    assert time.monotonic() - began < 20
    assert waited(lambda: dead(pid_in(tmp_path / "pid"))), "it was left behind"


def test_what_a_killed_command_left_is_ended(tmp_path: Path) -> None:
    done = run(sh("sleep 60 & echo $! > $1; kill -9 $$", tmp_path / "pid"))
    assert done.exit_code == -signal.SIGKILL
    assert waited(lambda: dead(pid_in(tmp_path / "pid")))


def test_the_death_of_its_parent_ends_a_command(tmp_path: Path) -> None:
    script = (
        "import sys; from datetime import timedelta; from opsd.drivers.process import *;"
        "run(Command(('sh', '-c', 'echo $$ > $0; exec sleep 60', sys.argv[1]), timedelta(60)))"
    )
    with subprocess.Popen((sys.executable, "-c", script, str(tmp_path / "pid")), cwd=ROOT) as us:
        pid = pid_in(tmp_path / "pid")
        os.kill(us.pid, signal.SIGKILL)
    assert waited(lambda: dead(pid))


def test_what_was_about_to_begin_when_its_parent_died_does_not(tmp_path: Path) -> None:
    slow = tmp_path / "bin" / "setpriv"
    slow.parent.mkdir()
    slow.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done\n"
        f'exec {shutil.which("setpriv")} "$@"\n'
    )
    slow.chmod(0o755)
    script = (
        "import sys; from datetime import timedelta; from opsd.drivers.process import *;"
        "run(Command(('touch', sys.argv[1]), timedelta(60)))"
    )
    words = (sys.executable, "-c", script, str(tmp_path / "begun"))
    env = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(words, cwd=ROOT, env=env) as us:
        pid = pid_in(tmp_path / "pid")
        os.kill(us.pid, signal.SIGKILL)
    (tmp_path / "go").touch()
    assert waited(lambda: dead(pid))
    assert not (tmp_path / "begun").exists()


def test_the_callers_settings_do_not_reach_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESTIC_REPOSITORY", "PGHOST", "AWS_PROFILE", "LC_ALL"):
        monkeypatch.setenv(name, "foreign")
    assert b"foreign" not in run(Command(("env",), LATER)).stdout


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ToolFailed) as caught:
        run(Command(("no-such-program",), LATER))
    assert caught.value.fields["program"] == "no-such-program"


def test_a_stream_ends_early_without_complaint() -> None:
    with reading(sh("yes")) as stream:
        assert stream.read(4) == b"y\ny\n"


def test_a_stream_tells_its_failure_at_the_end() -> None:
    with pytest.raises(ToolFailed) as caught, reading(sh("echo some; echo why >&2; exit 4")) as it:
        assert it.read() == b"some\n"
    assert (caught.value.fields["exit_code"], caught.value.detail.strip()) == (4, "why")


def test_a_stream_that_stalls_is_out_of_time() -> None:
    with pytest.raises(TimedOut), reading(sh("echo some; sleep 60", timeout=SOON)) as stream:
        stream.read()


def test_the_last_words_are_heard_however_busy_we_are() -> None:
    """A program that speaks and ends while we look away: between looking and asking if it lives."""
    over = threading.Event()

    def keep_busy() -> None:
        while not over.is_set():
            sum(range(1000))

    heard: list[str] = []

    def listen(number: int) -> None:
        script = f"sleep {0.19 + number * 0.001:.3f}; echo last"
        heard.append(run(sh(script)).text)

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.02)  # whoever looks away is away for long
    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        listeners = [threading.Thread(target=listen, args=(number,)) for number in range(40)]
        for listener in listeners:
            listener.start()
        for listener in listeners:
            listener.join()
    finally:
        over.set()
        busy.join()
        sys.setswitchinterval(before)
    assert heard == ["last\n"] * 40
