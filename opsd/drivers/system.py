"""This machine: its clock, its disks, its processes. The only door to psutil."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from opsd.errors import Refused

_NOBODY_LOGGED_IN = (1 << 32) - 1
_STA_UNSYNC = 0x40  # adjtimex(2): the clock is not synchronised
PLACE = "OPSD_PLACE"  # in the environment of a command of the site: the directory it works in
_ROUNDS = 3  # of ending what a command started
_SERVERS = {"postgres", "mariadbd"}
_TIMEX_BYTES = 1024  # struct timex is smaller on every platform
_STATUS_OFFSET = 40  # of `status` in struct timex on 64-bit Linux


def clock_synchronised() -> bool | None:
    """Whether the kernel's clock is kept by a time server; None where the kernel does not say."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    if ctypes.CDLL(None).adjtimex(buffer) < 0:
        return None
    status = ctypes.c_int.from_buffer(buffer, _STATUS_OFFSET).value
    return not status & _STA_UNSYNC


@dataclass(frozen=True, slots=True)
class Boot:
    """Which boot of this machine it is, and for how long it runs: a clock that nobody sets."""

    id: str
    running: timedelta


def boot() -> Boot:
    """How the kernel counts time since it was started, sleep included."""
    name = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return Boot(name, timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME)))


@dataclass(frozen=True, slots=True)
class Space:
    """Room on a directory's disk, in bytes, for an ordinary user; `device` tells disks apart."""

    path: Path
    device: int
    total: int
    free: int


def space(path: Path) -> Space:
    """The room where `path` is or will be."""
    while not path.exists():
        path = path.parent
    return _space(path)


def space_at(*places: Path) -> Space | None:
    """The room at the first of these places that may be looked at; None where none may."""
    for place in places:
        with suppress(OSError):
            return _space(place)
    return None


def _space(path: Path) -> Space:
    facts = os.statvfs(path)
    return Space(
        path, path.stat().st_dev, facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize
    )


def memory_free(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that programs started now could use: the machine's, or less where we are bounded."""
    free = int(psutil.virtual_memory().available)
    for group in _groups(groups):
        try:
            most = (group / "memory.max").read_text(encoding="ascii").strip()
            used = int((group / "memory.current").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if most.isdecimal():
            free = min(free, max(0, int(most) - used))
    return free


def own_memory() -> int:
    """Memory that this process has."""
    return int(psutil.Process().memory_info().rss)


def _groups(root: Path) -> tuple[Path, ...]:
    """Our own control group and those above it (cgroups, version 2)."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return ()
    own = next((line[3:] for line in lines if line.startswith("0::")), "")
    place = root / own.lstrip("/")
    return (place, *(above for above in place.parents if above.is_relative_to(root)))


@dataclass(frozen=True, slots=True)
class Stored:
    """A file on a disk of ours: its size, and when it was last used, in seconds since 1970."""

    path: Path
    size: int
    used: float


def files_below(root: Path) -> tuple[Stored, ...]:
    """The files below a directory that are there while it is walked through."""
    found = []
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory) / name
            try:
                facts = path.lstat()
            except FileNotFoundError:
                continue
            found.append(Stored(path, facts.st_size, max(facts.st_atime, facts.st_mtime)))
    return tuple(found)


def other_owner(path: Path) -> str | None:
    """The account that owns `path`, when that is not root but we are; None otherwise."""
    if os.geteuid() != 0 or not path.exists() or path.stat().st_uid == 0:
        return None
    return path.owner()


def user() -> str:
    """The account that this process works as, whatever `LOGNAME` says."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0


def person() -> str:
    """Who is logged in where this process was begun, whatever account it works as by now.

    The kernel keeps that from the log in on, through `sudo` and `runuser`, and takes no other word
    for it; where nobody logged in it is the account itself.
    """
    try:
        number = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        number = _NOBODY_LOGGED_IN
    try:
        return pwd.getpwuid(os.getuid() if number == _NOBODY_LOGGED_IN else number).pw_name
    except KeyError:
        return str(number)


def host_name() -> str:
    """The name that this machine gives itself: restic writes it into its locks."""
    return os.uname().nodename


def alive(pid: int) -> bool:
    """Whether there is a process of this number, whoever it is by now; a zombie does no more."""
    found = _process(pid)
    try:
        return found is not None and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def workers_in(place: Path) -> tuple[psutil.Process, ...]:
    """Processes that were started to work in `place` or below it, and what these started.

    They are known by `PLACE` in their environment: one that leaves its group or session keeps it.
    """
    found = []
    for process in psutil.process_iter():
        try:
            told = process.environ().get(PLACE, "")
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
        if told == str(place) or told.startswith(f"{place}/"):
            found.append(process)
    return tuple(found)


def memory_of(place: Path) -> int:
    """Memory that the workers of a place use together; what they share counts once."""
    used = 0
    for process in workers_in(place):
        try:
            used += process.memory_full_info().pss
        except (psutil.Error, OSError):
            continue
    return used


def end_workers(place: Path) -> int:
    """End the workers of a place, at once; how many there were.

    Again for those that were just being started; one that hangs in the kernel is left to it.
    """
    count = 0
    for _ in range(_ROUNDS):
        found = workers_in(place)
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        count += len(found) - len(psutil.wait_procs(found, timeout=10)[1])
        if not found:
            break
    return count


def barred(path: Path) -> Path | None:
    """What keeps this account from writing at `path`: no directory, or no right; else None."""
    place = next(one for one in (path, *path.parents) if os.access(one, os.F_OK))
    return None if place.is_dir() and os.access(place, os.W_OK | os.X_OK) else place


def insist_on_place(target: Path) -> None:
    """Raise `Refused` where this account may not write at `target`."""
    if place := barred(target):
        raise Refused("target.barred", target=target, place=place, account=user())


def servers_in(directory: Path) -> tuple[int, ...]:
    """Database servers that work in `directory` or below it."""
    root = str(directory)
    found = []
    for process in psutil.process_iter(["pid", "name", "cwd"]):
        cwd = process.info["cwd"]
        if process.info["name"] not in _SERVERS or not cwd:
            continue
        if cwd == root or cwd.startswith(root + "/"):
            found.append(int(process.info["pid"]))
    return tuple(found)


def is_held(pid_file: Path) -> bool:
    """Whether the process lives that a file names in its first line."""
    try:
        return psutil.pid_exists(int(pid_file.read_text().partition("\n")[0]))
    except (FileNotFoundError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Wiped:
    """What was removed: how many files with how many bytes, and how many servers were ended."""

    files: int
    bytes: int
    processes: int


def wipe(directory: Path) -> Wiped:
    """Remove a scratch directory with all in it, ending throwaway servers that outlived us."""
    workers, ended = end_workers(directory), servers_in(directory)
    for pid in ended:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    psutil.wait_procs([p for p in map(_process, ended) if p], timeout=10)
    files = total = 0
    for path, _, names in os.walk(directory):
        for name in names:
            files += 1
            total += (Path(path) / name).lstat().st_size
    if directory.exists():
        shutil.rmtree(directory)
    return Wiped(files, total, workers + len(ended))


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
