"""What a command cost: time, CPU, memory and bytes written of its whole process tree.

Wall time, CPU and bytes come from the kernel's own account of the tree at its end (wait4), so they
are exact: every tool here waits for its children. Memory is looked at while the tree runs, since
the account would also count what the measuring process held when it forked.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

_PROC = Path("/proc")
_LOOK_SECONDS = 0.1
_BLOCK = 512  # the unit of ru_oublock
_UNBACKED = 1 << 30  # so much memory may be free
_filled: list[IO[bytes]] = []


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and bytes; `own` is the peak of the command's first process, `tree` of all."""

    wall: float = 0.0
    cpu: float = 0.0
    own: int = 0
    tree: int = 0
    written: int = 0
    output: str = field(default="", compare=False)

    def __add__(self, other: Cost) -> Cost:
        """One after the other."""
        return Cost(
            self.wall + other.wall,
            self.cpu + other.cpu,
            max(self.own, other.own),
            max(self.tree, other.tree),
            self.written + other.written,
        )

    @property
    def figures(self) -> dict[str, float | int]:
        """The figures, for JSON."""
        return {
            "wall_seconds": round(self.wall, 3),
            "cpu_seconds": round(self.cpu, 3),
            "own_peak_bytes": self.own,
            "tree_peak_bytes": self.tree,
            "written_bytes": self.written,
        }


class Failed(Exception):
    """A measured command did not succeed: there is nothing to measure."""


def run(argv: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and give what it cost. Raises `Failed` with its last words."""
    os.sync()  # nobody pays for what others left to be written
    _even_out_memory()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        # An installed program has its bytecode: a tree that may not be written has none.
        given = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(env or {})}
        child = subprocess.Popen(
            argv,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        memory = _Memory(child.pid)
        try:
            _, status, account = os.wait4(child.pid, 0)
        except BaseException:
            child.terminate()  # opsd and a shell's child end what they started
            child.wait()
            raise
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        memory.finish()
        said, complained = (_text(stream.fileno()) for stream in (out, err))
    if child.returncode != 0:
        raise Failed(
            f"{' '.join(argv)[:200]}: exit {child.returncode}\n{(said + complained)[-3000:]}"
        )
    return Cost(
        wall=wall,
        cpu=account.ru_utime + account.ru_stime,
        own=memory.own,
        tree=memory.tree,
        written=account.ru_oublock * _BLOCK,
        output=said,
    )


def script(text: str, env: Mapping[str, str] | None = None) -> Cost:
    """Run lines of bash, as a person would by hand; the first that fails ends them."""
    # The shell is no tool anybody would measure: the tree is what counts.
    return replace(run(("bash", "-euo", "pipefail", "-c", text), env), own=0)


def _even_out_memory() -> None:
    """Fill free memory with cached zeros, so that everybody finds memory alike.

    A virtual machine's host backs a page when it is first touched, which may take longer than all
    that is measured: 1.7 s a GiB on the founders' machine. What a cache gives back costs nothing.
    """
    lines = (_PROC / "meminfo").read_text().splitlines()
    free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemFree:"))
    if free < 2 * _UNBACKED:
        return
    hole = tempfile.TemporaryFile()  # noqa: SIM115  (its pages stay as long as it is open)
    _filled.append(hole)
    hole.truncate(free - _UNBACKED)
    while hole.read(1 << 20):
        pass


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read().decode(errors="replace")


class _Memory:
    """Looks at the memory of a process and its descendants until it is told to finish."""

    def __init__(self, root: int) -> None:
        self.own = 0
        self.tree = 0
        self._root = root
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            seen = [_status(pid) for pid in _tree(self._root)]
            if seen and seen[0]:
                self.own = max(self.own, seen[0].get("VmHWM", 0))  # never falls: the true peak
            private = sum(one.get("RssAnon", 0) + one.get("RssFile", 0) for one in seen)
            shared = max((one.get("RssShmem", 0) for one in seen), default=0)  # one buffer for all
            self.tree = max(self.tree, private + shared)


def _tree(root: int) -> list[int]:
    """A process and its descendants, itself first."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, ())
    return found


def _parent(entry: Path) -> int | None:
    try:
        stat = (entry / "stat").read_bytes()
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split()[1])


def _status(pid: int) -> dict[str, int]:
    """The memory lines of a process's status, in bytes; nothing of one that is gone."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(amount) << 10 for name, amount, _ in fields}
