"""Local commands: the only door to other programs.

Every command is an argv, has a deadline that ends its whole process group, and dies with opsd: its
first process is started through `setpriv --pdeathsig`, so that `kill -9` of opsd leaves no restic,
pg_dump or throwaway server running on.
"""

from __future__ import annotations

import io
import os
import pwd
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO

from opsd.errors import Cancelled, OpsdError, TimedOut, ToolFailed

_GRACE = timedelta(seconds=10)
_POLL_SECONDS = 0.2
_SEEN_OFF_EVERY_SECONDS = 0.02
_CHUNK = 1 << 16
_WIDE_PIPE = 1 << 18  # the kernel's 64 KiB make a table's rows wait for us again and again
_KEPT_BYTES = 1 << 22
_FOREIGN = ("RESTIC_", "PG", "AWS_", "LC_", "LANG")  # a caller's, that change what programs mean

LAST_AT_THE_DISK = ("ionice", "-c", "2", "-n", "7")  # what a program is begun with
# We may have died before setpriv asked to be told of it; `$0` is who we were.
_UNLESS_ORPHANED = '[ "$PPID" -eq "$0" ] && exec "$@"'

OnLine = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: argv, added environment, directory, deadline, and as whom (root only).

    `whole` keeps all of the standard output, for what is parsed: half a list is no list. `stdin` is
    what the program reads. What it leaves in its process group is ended with it: after `lingers`,
    so that a server which goes into the background has the time to leave the group. With a
    `niceness`, nice(1)'s, it comes after others.
    """

    argv: tuple[str, ...]
    timeout: timedelta
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: str | None = None
    death_signal: str = "TERM"
    whole: bool = False
    stdin: bytes = b""
    lingers: timedelta = timedelta()
    niceness: int = 0

    @property
    def program(self) -> str:
        """The name of the program, for messages."""
        return Path(self.argv[0]).name


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished command. Finished does not mean succeeded.

    Of very long output the end is kept (4 MiB a stream), unless the whole was asked for.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes
    elapsed: timedelta

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes escaped."""
        return self.stdout.decode(errors="backslashreplace")

    @property
    def complaint(self) -> str:
        """Standard error as text without surrounding space."""
        return self.stderr.decode(errors="backslashreplace").strip()


class Stop:
    """Tells running commands that they shall end; shared by all work of one run.

    One with a `parent` is a part of the work: it ends alone, or with the whole.
    """

    def __init__(self, parent: Stop | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent

    def request(self) -> None:
        """Ask everything that watches this to end."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set() or (self._parent is not None and self._parent.requested)


NEVER = Stop()


def run(
    command: Command,
    *,
    stop: Stop = NEVER,
    on_stdout: OnLine | None = None,
    on_stderr: OnLine | None = None,
) -> Completed:
    """Run `command` to its end and return what happened, whatever the exit code.

    `on_stdout` and `on_stderr` see each line as it arrives. Raises `ToolFailed` when the program
    cannot be started, `TimedOut` and `Cancelled` after its process group has been ended.
    """
    began = time.monotonic()
    child = _start(command)
    out, err = _Lines(on_stdout, whole=command.whole), _Lines(on_stderr)
    with child, _reader(child, out, err) as read:
        try:
            while read(_POLL_SECONDS) or child.poll() is None:
                if stop.requested:
                    raise Cancelled("process.cancelled", program=command.program)
                if time.monotonic() - began > command.timeout.total_seconds():
                    raise _late(command)
        except BaseException:
            _end(child)
            raise
        _see_off(child, command.lingers)
        _signal(child, signal.SIGKILL)  # what it left behind: the workers of a pg_dump that died
    elapsed = timedelta(seconds=time.monotonic() - began)
    return Completed(command.argv, child.returncode, out.kept, err.kept, elapsed)


@contextmanager
def reading(command: Command, *, stop: Stop = NEVER) -> Iterator[io.BufferedReader]:
    """Give the standard output of `command` as a stream; its failure is raised at the end.

    Raises `Cancelled` and `TimedOut` as `run` does. Leaving early ends the command.
    """
    child = _start(command, pipe_bytes=_WIDE_PIPE)
    with child, _guard(child, command, stop) as broken:
        assert isinstance(child.stdout, io.BufferedReader)  # noqa: S101  (asked for by PIPE)
        assert child.stderr is not None  # noqa: S101
        try:
            yield child.stdout
            whole = not child.stdout.read(1)
            complaint = child.stderr.read() if whole else b""
        finally:
            child.stdout.close()
            _end(child)
    if broken:
        raise broken[0]
    if whole and child.returncode != 0:
        raise ToolFailed(
            "process.failed",
            program=command.program,
            exit_code=child.returncode,
            detail=complaint.decode(errors="backslashreplace"),
        )


@contextmanager
def _guard(
    child: subprocess.Popen[bytes], command: Command, stop: Stop
) -> Iterator[list[OpsdError]]:
    """End `child` when it shall stop or its time is over, and give the reason."""
    broken: list[OpsdError] = []
    over = threading.Event()
    deadline = time.monotonic() + command.timeout.total_seconds()

    def watch() -> None:
        while not over.wait(_POLL_SECONDS):
            if stop.requested:
                broken.append(Cancelled("process.cancelled", program=command.program))
            elif time.monotonic() > deadline:
                broken.append(_late(command))
            else:
                continue
            _signal(child, signal.SIGTERM)
            return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield broken
    finally:
        over.set()
        watcher.join()


def attached(command: Command) -> int:
    """Run `command` on our own terminal, for a person to see, and give its exit code.

    Raises `TimedOut` after its process group has been ended.
    """
    child = _start(command, stdout=None, stderr=None)
    try:
        return child.wait(command.timeout.total_seconds())
    except subprocess.TimeoutExpired:
        raise _late(command) from None
    finally:
        _end(child)


class Background:
    """A program that runs beside us until it is told to end."""

    def __init__(self, command: Command, log: Path) -> None:
        self.log = log
        self._command = command
        with log.open("ab") as sink:
            self._child = _start(command, stdout=sink, stderr=sink)

    @property
    def pid(self) -> int:
        """The process id, which is also the group's."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process group and return the exit code."""
        _end(self._child, how)
        return self._child.returncode


def become(user: str | None) -> tuple[str, ...]:
    """The argv prefix that makes a command run as `user`; empty where that is who we are."""
    if user is None or os.geteuid() != 0:
        return ()
    account = pwd.getpwnam(user)
    return (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups")


def _start(
    command: Command,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    pipe_bytes: int = -1,
) -> subprocess.Popen[bytes]:
    if shutil.which(command.argv[0]) is None:
        raise ToolFailed("process.cannot_start", program=command.argv[0])
    argv = ("setpriv", *become(command.user), "--pdeathsig", command.death_signal, "--")
    argv += ("sh", "-c", _UNLESS_ORPHANED, str(os.getpid()))
    argv += ("nice", "-n", str(command.niceness)) if command.niceness else ()
    try:
        with _given(command.stdin) as stdin:
            child = subprocess.Popen(
                (*argv, *command.argv),
                env={**_environment(), **command.env},
                cwd=command.cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pipesize=pipe_bytes,
                start_new_session=True,
            )
    except OSError as error:
        raise ToolFailed(
            "process.cannot_start", program=command.program, detail=str(error)
        ) from error
    if command.niceness:
        _yield_together(child.pid, command.niceness)
    return child


def _yield_together(session: int, niceness: int) -> None:
    """Where the scheduler groups sessions, their members' own niceness orders only them."""
    with suppress(OSError):
        Path(f"/proc/{session}/autogroup").write_text(str(niceness), encoding="ascii")


@contextmanager
def _given(stdin: bytes) -> Iterator[int]:
    """What a program reads, in memory: a pipe would have to be fed while it is read from."""
    if not stdin:
        yield subprocess.DEVNULL
        return
    descriptor = os.memfd_create("stdin")
    try:
        os.write(descriptor, stdin)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _late(command: Command) -> TimedOut:
    return TimedOut("process.timed_out", program=command.program, limit=command.timeout)


def _end(child: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """Ask the process group to finish; insist when it does not."""
    for signal_number in (how, signal.SIGKILL):
        if not _signal(child, signal_number):
            break
        try:
            child.wait(_GRACE.total_seconds())
            break
        except subprocess.TimeoutExpired:
            continue
    child.wait()
    _signal(child, signal.SIGKILL)  # those in the group who did not hear, or would not


def _see_off(child: subprocess.Popen[bytes], patience: timedelta) -> None:
    """Wait until nobody is left in the process group of `child`, but no longer than so."""
    until = time.monotonic() + patience.total_seconds()
    while time.monotonic() < until and _signal(child, 0):
        time.sleep(_SEEN_OFF_EVERY_SECONDS)


def _signal(child: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the process group of `child` (0: ask only); whether there was anybody."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True


class _Lines:
    """Cuts a stream into lines and keeps its end, or the whole."""

    def __init__(self, on_line: OnLine | None, *, whole: bool = False) -> None:
        self._on_line = on_line
        self._whole = whole
        self._rest = b""
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._kept += chunk
        if len(self._kept) > 2 * _KEPT_BYTES and not self._whole:
            del self._kept[:-_KEPT_BYTES]
        if self._on_line is None:
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._on_line(line)

    def close(self) -> None:
        if self._on_line is not None and self._rest:
            self._on_line(self._rest)
            self._rest = b""

    @property
    def kept(self) -> bytes:
        return bytes(self._kept if self._whole else self._kept[-_KEPT_BYTES:])


@contextmanager
def _reader(
    child: subprocess.Popen[bytes], out: _Lines, err: _Lines
) -> Iterator[Callable[[float], bool]]:
    """Give a function that reads for some seconds and says whether the streams are still open."""
    with selectors.DefaultSelector() as selector:
        for stream, lines in ((child.stdout, out), (child.stderr, err)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, lines)

        def read(seconds: float) -> bool:
            """Whether there may be more: a grandchild that keeps a pipe open does not count."""
            if not selector.get_map():
                time.sleep(seconds / 20)
                return False
            ended = child.poll() is not None  # asked first: what it said before it ended is there
            ready = selector.select(0 if ended else seconds)
            if not ready and ended:
                return False
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                key.data.feed(chunk)
                if not chunk:
                    key.data.close()
                    selector.unregister(key.fileobj)
            return True

        yield read
