"""Two real daemons on one PostgreSQL: one is killed in the middle of a night, the other goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.model import Outcome, Task
from opsd.store import Store
from tests.site import ROOT, workplace
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")

_PATIENCE = 180.0
CONFIG = """\
language: en
demo: true
timezone: UTC
host: {name}
store: {store}
state: {base}/{name}
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
restic: {base}/restic
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB}}
backup_sets:
  one:
    repository: main
    schedule: "{at}"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {base}/tree}}
"""
# restic itself, only slow: a backup of the tree takes half a minute.
SLOW = '#!/bin/sh\nexec restic --limit-upload 60 "$@"\n'


def test_a_night_is_taken_over_within_a_minute(stores: Stores) -> None:
    place = stores.fresh()
    with workplace() as base:
        furnish(base)
        at = f"{now() - timedelta(hours=1):%H:%M}"
        for name in ("first", "second"):
            text = CONFIG.format(base=base, name=name, store=place.url, at=at)
            (base / f"{name}.yaml").write_text(text)
        with daemon(base, "first") as first:
            with closing(Store(place)) as store:
                eventually(lambda: store.fired(Task.BACKUP, "one"), "that the night begins")
            with daemon(base, "second"), closing(Store(place)) as store:
                eventually(lambda: ready(base, "second"), "that the second is ready")
                time.sleep(5)
                assert len(store.fired(Task.BACKUP, "one")) == 1
                first.kill()
                killed = time.monotonic()
                eventually(
                    lambda: len(store.fired(Task.BACKUP, "one")) == 2, "that it is begun again"
                )
                took = time.monotonic() - killed
                print(f"taken over after {took:.1f} s")
                eventually(lambda: store.last_ended(Task.PROVE, "one", good=True), "its proof")
                (dead, cut), (again, ended) = store.fired(Task.BACKUP, "one")
                points = store.points("one")
        assert took < 60
        assert (dead.host, cut, dead.slot) == ("first", Outcome.INTERRUPTED, again.slot)
        assert (again.host, ended) == ("second", Outcome.SUCCEEDED)
        assert [point.id for point in points] == [again.id]


def furnish(base: Path) -> None:
    """A tree that takes a while, and a password."""
    (base / "tree").mkdir()
    (base / "tree" / "file").write_bytes(os.urandom(2 << 20))
    password = base / "password"
    password.write_text("only for tests\n")
    password.chmod(0o600)
    restic = base / "restic"
    restic.write_text(SLOW)
    restic.chmod(0o755)


@contextmanager
def daemon(base: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon, killed at the end if it still runs."""
    arguments = [sys.executable, "-m", "opsd", "run", "--config", str(base / f"{name}.yaml")]
    with (base / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=ROOT, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            print((base / f"{name}.log").read_text())  # shown when the test fails


def ready(base: Path, name: str) -> bool:
    """Whether a daemon said that it is."""
    return b"ready; next" in (base / f"{name}.log").read_bytes()


def eventually(question: Callable[[], object], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.2)
    pytest.fail(f"never: {what}")
