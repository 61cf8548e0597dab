"""pgBackRest: `archive-push` and block incremental backups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg

from benchmarks import machine, measure
from benchmarks.archived import ACCOUNT, OTHERS, Bench, own, until
from benchmarks.measure import Cost

_PROGRAM = str(OTHERS / "bin" / "pgbackrest")
_CONFIG = """\
[global]
repo1-path={base}/backrest
repo1-bundle=y
repo1-block=y
repo1-retention-full=2
start-fast=y
process-max=2
compress-type=zst
compress-level=3
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=only-for-measuring
log-level-console=warn
log-path={base}/backrest.log
lock-path={base}/backrest.lock
spool-path={base}/backrest.spool
[one]
pg1-path={data}
pg1-socket-path={socket}
pg1-user=opsd
pg1-database=postgres
"""
_ARCHIVE = """\
#!/bin/bash
{push} archive-push "$1"
code=$?
times >>{times}
exit $code
"""


@dataclass(frozen=True, slots=True)
class BackRest:
    """pgBackRest, called as the server's account."""

    bench: Bench

    name: ClassVar[str] = "pgBackRest"
    manner: ClassVar[str] = (
        "block incremental, bundles, zstd 3, encrypted as opsd's repositories always are, two"
        " processes. Its log is `archive-push`."
    )

    @property
    def version(self) -> str:
        """Which one it is."""
        return machine.version(_PROGRAM, "version")

    @property
    def repository(self) -> Path:
        """Where its copies and its log lie."""
        return self.bench.base / "backrest"

    @property
    def _archive(self) -> Path:
        return self.bench.base / "pgbackrest-archive.sh"  # it insists on its name

    @property
    def _times(self) -> Path:
        return self.bench.base / "archive.times"

    @property
    def settings(self) -> Mapping[str, str]:
        """What the server is started with for it."""
        command = f"test ! -e {self._archive} || {self._archive} %p"  # until it keeps the log
        return {"archive_mode": "on", "archive_command": command}

    def _call(self, *words: str) -> Cost:
        config = f"--config={self.bench.base}/backrest.conf"
        return measure.run((*ACCOUNT, _PROGRAM, config, "--stanza=one", *words))

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """From now on it keeps the log, until the end."""
        base, server = self.bench.base, self.bench.server
        for name in ("backrest", "backrest.log", "backrest.lock", "backrest.spool"):
            own(base / name)
        told = {"base": base, "data": server.data, "socket": server.directory}
        (base / "backrest.conf").write_text(_CONFIG.format(**told))
        self._call("stanza-create")
        self._times.touch()
        self._times.chmod(0o666)
        push = f"{_PROGRAM} --config={base}/backrest.conf --stanza=one"
        made = base / "archive.new"
        made.write_text(_ARCHIVE.format(push=push, times=self._times))
        made.chmod(0o755)
        made.rename(self._archive)
        yield

    def copy(self, *, whole: bool) -> Cost:
        """Take a copy of everything, or of what changed since the one before."""
        return self._call(f"--type={'full' if whole else 'incr'}", "backup")

    def settle(self, segment: str) -> None:
        """Return when its repository has the log to the end of this segment."""
        query = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
        with psycopg.connect(self.bench.connection, autocommit=True) as connection:
            until(lambda: connection.execute(query, (segment,)).fetchall()[0][0])

    def log_cpu(self) -> float:
        """Seconds that it took for the log until now."""
        found = re.findall(r"(\d+)m([\d.]+)s", self._times.read_text())
        return sum(60 * int(minutes) + float(seconds) for minutes, seconds in found)

    def restore(self, target: Path, *, delta: bool) -> Cost:
        """Bring the newest copy back, ready to replay all of the log."""
        more = ("--delta",) if delta else ()
        return self._call(f"--pg1-path={target}", "--target-timeline=latest", "restore", *more)
