"""Barman: its streaming receiver, and incremental copies by pg_basebackup."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from benchmarks import machine, measure
from benchmarks.archived import ACCOUNT, OTHERS, PATIENCE, Bench, cpu, own, until
from benchmarks.measure import Cost

_PROGRAM = str(OTHERS / "bin" / "barman")
_CONFIG = """\
[barman]
barman_user = postgres
barman_home = {base}/barman
barman_lock_directory = {base}/barman.lock
log_file = {base}/barman.log/log
[one]
description = one
conninfo = {connection}
streaming_conninfo = {connection}
path_prefix = {programs}:{others}
backup_method = postgres
immediate_checkpoint = true
streaming_archiver = on
slot_name = barman
create_slot = auto
streaming_wals_directory = {base}/barman.received
local_staging_path = {base}/barman.staging
compression = zstd
"""


@dataclass(slots=True)
class Barman:
    """Barman, called as the server's account."""

    bench: Bench
    _receiver: psutil.Process | None = None
    _nothing: float = 0.0  # seconds to see that there is nothing to archive
    _archived: float = 0.0

    name: ClassVar[str] = "Barman"
    settings: ClassVar[Mapping[str, str]] = {}

    @property
    def manner(self) -> str:
        """How it keeps what it keeps, and what its figures count; for the page."""
        return (
            "a receiver with a slot, log in zstd; copies by `pg_basebackup`, incremental as opsd's,"
            " not compressed, since it builds none on a compressed one; nothing is encrypted or"
            " deduplicated. Its log is `receive-wal` and one `archive-wal` a day; its cron calls it"
            f" each minute, which takes {self._nothing:.2f} s with nothing to do."
        )

    @property
    def version(self) -> str:
        """Which one it is."""
        return machine.version(_PROGRAM, "--version")

    @property
    def repository(self) -> Path:
        """Where its copies and its log lie."""
        return self.bench.base / "barman"

    @property
    def _received(self) -> Path:
        return self.bench.base / "barman.received"

    def _words(self, *words: str) -> tuple[str, ...]:
        return (*ACCOUNT, _PROGRAM, "-q", "-c", f"{self.bench.base}/barman.conf", *words)

    def _call(self, *words: str) -> Cost:
        return measure.run(self._words(*words))

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """From now on it keeps the log, until the end."""
        base = self.bench.base
        for name in ("barman", "barman.lock", "barman.log", "barman.received", "barman.staging"):
            own(base / name)
        told = {"connection": self.bench.connection, "programs": self.bench.programs}
        configured = _CONFIG.format(base=base, others=OTHERS / "bin", **told)
        (base / "barman.conf").write_text(configured)
        receiver = subprocess.Popen(self._words("receive-wal", "one"))
        self._receiver = psutil.Process(receiver.pid)
        try:
            until(lambda: any(self._received.glob("*.partial")))
            self._call("switch-wal", "--force", "--archive", "one")  # else it refuses to copy
            self._nothing = self._call("archive-wal", "one").cpu
            yield
        finally:
            receiver.send_signal(signal.SIGINT)
            receiver.wait(PATIENCE)

    def copy(self, *, whole: bool) -> Cost:
        """Take a copy of everything, or of what changed since the one before."""
        more = () if whole else ("--incremental", "last")
        return self._call("backup", *more, "one")

    def settle(self, segment: str) -> None:
        """Return when its repository has the log to the end of this segment."""
        until((self._received / segment).exists)
        self._archived += self._call("archive-wal", "one").cpu

    def log_cpu(self) -> float:
        """Seconds that it took for the log until now."""
        return self._archived + (cpu(self._receiver) if self._receiver else 0)

    def restore(self, target: Path, *, delta: bool) -> Cost | None:
        """Bring the newest copy back, with all of the log beside it."""
        if delta:
            return None
        cost = self._call("restore", "one", "last", str(target))
        own(target / "pg_tblspc")  # 3.13 leaves it out where there are no tablespaces
        return cost
