"""A kit out of a repository and its password alone, for a machine that has nothing else."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsd.cli.desk import Desk
from opsd.clock import now
from opsd.config.repository import Repository
from opsd.config.schema import Config
from opsd.drivers.restic import Restic
from opsd.drivers.s3 import Credentials
from opsd.errors import UsageError
from opsd.model import MemberKind
from opsd.store import Store
from opsd.tasks.binlog import bases as binlog
from opsd.tasks.kit import Kit, storage_at
from opsd.tasks.shelf import points_in
from opsd.tasks.wal.layout import members as copied

_REPOSITORY = "alone"


@contextmanager
def kit_of(desk: Desk) -> Iterator[Kit]:
    """What the repository tells of its set, as if somebody had configured it; no history stays."""
    url, password = desk.arguments.repository_url, desk.arguments.password_file
    if not password:
        raise UsageError("usage.needs", name="--repository-url", other="--password-file")
    with desk.watching() as watcher, tempfile.TemporaryDirectory(prefix="opsd-") as place:
        home = Path(place)
        restic = Restic(url, url, Path(password).absolute(), home / "cache", stop=desk.stop)
        credentials = _credentials(url)
        config = _config(restic, desk.arguments.set, home, credentials)
        store = Store(home / "history.sqlite")
        try:
            yield Kit(config, store, now, desk.stop, watcher)
        finally:
            store.close()


def _credentials(url: str) -> dict[str, str]:
    """Those of a bucket lie where restic finds them too. Raises `ConfigError` where they do not."""
    if not url.startswith("s3:"):
        return {}
    path = Path.home() / ".aws" / "credentials"
    Credentials.of(path)
    return {"s3_credentials_file": str(path)}


def _config(restic: Restic, name: str, home: Path, credentials: dict[str, str]) -> Config:
    """The databases whose base copies are there, and the trees of the newest points."""
    repository = {"url": restic.url, "password_file": str(restic.password_file), **credentials}
    storage = storage_at(_REPOSITORY, Repository.model_validate(repository))
    found = copied(storage) if storage else ()
    members: dict[str, object] = {
        member: {
            "kind": "postgres",
            "connection": "dbname=postgres",
            "wal": {"receivers": {"lost": {}}},
        }
        for backup_set, member in found
        if backup_set == name
    }
    if not members and restic.snapshots(binlog.TAG, f"set:{name}"):
        raise UsageError("recover.bare_mariadb", name=name)
    if not members:
        sets = sorted({backup_set for backup_set, _ in found})
        raise UsageError("recover.bare_no_base", name=name, known=sets or "-")
    trees = [m for p in points_in(restic, name)[:1] for m in p.members]
    members |= {
        m.member: {"kind": "files", "path": m.root} for m in trees if m.kind is MemberKind.FILES
    }
    return Config.model_validate(
        {
            "host": platform.node(),
            "state": str(home / "state"),
            "repositories": {_REPOSITORY: repository},
            "backup_sets": {
                name: {
                    "repository": _REPOSITORY,
                    "schedule": "00:00",
                    "rpo": "24h",
                    "rto": "24h",
                    "members": members,
                }
            },
        }
    )
