"""What a configuration makes of a host: who is asked together, and who apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checks import CHECKS
from opsd import app, assembly
from opsd.check import Answer, Read, Seen
from opsd.config.hosts import Host
from opsd.config.load import load
from opsd.tasks.check.patrol import Ask
from opsd.tasks.kit import Kit
from opsd.tasks.wal.telling import CHECK

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CONFIG = """\
state: {base}/state
repositories:
  main: {{url: {base}/repository, password_file: {base}/password}}
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {base}/tree}}
hosts: {{local: {{}}}}
"""
FEES = """\
      fees: {{kind: mariadb, database: fees, socket: /nowhere, binlog: {{directory: {base}/log}}}}
"""


def test_a_check_that_may_wait_long_is_not_waited_for_by_others(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("only for tests\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "opsd.yaml").write_text(CONFIG.format(base=tmp_path))
    together: list[set[str]] = []
    longest: list[timedelta] = []

    def door(name: str, host: Host) -> Ask:
        del name, host

        def ask(reads: Sequence[Read]) -> Seen:
            together.append({read.name for read in reads})
            longest.append(max(read.timeout for read in reads))
            return Seen(NOW, timedelta(), {read.name: Answer("", None) for read in reads})

        return ask

    kit: Kit = assembly.assemble(load(tmp_path / "opsd.yaml"), clock=lambda: NOW)
    cases, watch = assembly.alerts(kit.config), assembly.samples(kit.config)
    watching = app.watching(kit, cases, watch, door)
    try:
        errands = watching.adopt(kit)
        errands["local"].work()
        errands["local/smart"].work()
    finally:
        watching.ledger.close()
        watch.close()
        cases.close()
        kit.store.close()
    assert "loadavg" in together[0]
    assert "smart" not in together[0]
    assert together[1] == {"smart"}
    assert longest[0] <= timedelta(seconds=15) < longest[1]
    assert {name for name in errands if name.startswith("local/")} <= {
        f"local/{check}" for check in CHECKS
    }


def test_a_binary_log_alone_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("only for tests\n")
    (tmp_path / "password").chmod(0o600)

    def nobody(name: str, host: Host) -> Ask:
        raise AssertionError(name, host)

    for more, wanted in (("", False), (FEES, True)):
        text = CONFIG.replace("hosts: {{local: {{}}}}\n", more).format(base=tmp_path)
        (tmp_path / "opsd.yaml").write_text(text)
        kit: Kit = assembly.assemble(load(tmp_path / "opsd.yaml"), clock=lambda: NOW)
        cases, watch = assembly.alerts(kit.config), assembly.samples(kit.config)
        watching = app.watching(kit, cases, watch, nobody)
        try:
            watching.adopt(kit)
            assert (("", CHECK) in watching.ledger.rules) is wanted
        finally:
            watching.ledger.close()
            watch.close()
            cases.close()
            kit.store.close()
