"""A site to protect, small and real: a dossier system, a repository, a configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opsd import assembly
from opsd.clock import Clock, now
from opsd.config.load import load
from opsd.demo import protection
from opsd.demo.dataset import Scale
from opsd.demo.system import DossierSystem
from opsd.tasks.kit import Kit

ROOT = Path(__file__).resolve().parent.parent
SET = "dossiers"
_MEMORY = Path("/dev/shm")
_ROOM = 8 << 30  # bytes
SMALL = Scale(dossiers=60, mean_scan_bytes=4096)
NEEDED = (
    "restic",
    "psql",
    "setpriv",
    "prlimit",
    "nice",
    "ionice",
    "getfacl",
    "setfattr",
    "unshare",
    "weed",
    "openssl",
    "zstd",
    "jq",
    "b3sum",
    "sqlite3",
    "mariadbd",
    "mariadb-backup",
    "ssh-keyscan",
    "fio",
    "losetup",
    "/usr/lib/nagios/plugins/check_disk",
)

CONFIG = """\
language: en
demo: true
host: test-host
state: {base}/state
scratch: {base}/scratch
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
repositories:
  main:
    url: {base}/repository
    password_file: {base}/password
    min_free: 1MiB
    lock_wait: 0s
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
"""


SECOND = """\
backup_sets:
  second:
    repository: main
    schedule: "02:30"
    rpo: 24h
    rto: 4h
    members:
      letters: {{kind: files, path: {base}/letters}}
      notes: {{kind: files, path: {base}/notes}}
"""


def _home() -> Path | None:
    """In memory, where the machine has room there and runs what lies there.

    A database server is a thousand files, and the tests make them by the hundred.
    """
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return None
    roomy = found.f_bavail * found.f_frsize >= _ROOM
    return _MEMORY if roomy and not found.f_flag & os.ST_NOEXEC else None


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory that the account of PostgreSQL may cross, removed at the end.

    It may be in memory: what needs a disk lies in pytest's `tmp_path`.
    """
    base = Path(tempfile.mkdtemp(prefix="opsd-test-", dir=_home()))
    base.chmod(0o711)
    try:
        yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


@dataclass(slots=True)
class Site:
    """The dossier system of one test, with what opsd needs to protect it."""

    base: Path
    system: DossierSystem
    changes: dict[str, str] = field(default_factory=dict)
    opened: ExitStack = field(default_factory=ExitStack)  # what is closed with the site

    @property
    def repository(self) -> Path:
        """The restic repository."""
        return self.base / "repository"

    @property
    def config_file(self) -> Path:
        """The configuration, written with the wanted changes."""
        text = CONFIG.format(base=self.base)
        text += protection.lines(self.system.connection, self.system.scans)
        for old, new in self.changes.items():
            assert old in text, old
            text = text.replace(old, new)
        path = self.base / "opsd.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    @contextmanager
    def kit(self, clock: Clock = now) -> Iterator[Kit]:
        """A kit for tasks in this process."""
        made = assembly.assemble(load(self.config_file), clock=clock)
        try:
            yield made
        finally:
            made.store.close()

    def opsd(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the command line in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "opsd", *arguments, "--config", str(self.config_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )


def add_second_set(site: Site) -> None:
    """A set `second` of two small trees in the same repository."""
    (site.base / "letters" / "sent").mkdir(parents=True)
    (site.base / "letters" / "sent" / "one.txt").write_text("a letter")
    (site.base / "letters" / "drafts").mkdir()
    (site.base / "notes").mkdir()
    (site.base / "notes" / "two.txt").write_text("a note")
    site.changes["backup_sets:\n"] = SECOND.format(base=site.base)


def copy_of(template: Path, base: Path) -> DossierSystem:
    """A dossier system of one's own, from one that is stopped."""
    directory = base / "system"
    subprocess.run(
        ["cp", "-a", "--reflink=auto", str(template), str(directory)], check=True, timeout=60
    )
    return DossierSystem.at(directory)
