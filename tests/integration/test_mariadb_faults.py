"""What goes wrong with a MariaDB member: told as what it is, in backup and proof."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd.drivers import system
from opsd.drivers.mariadb import words
from opsd.model import Outcome, Task
from opsd.tasks.kit import Nobody
from opsd.tasks.members.mariadb import read_manifest
from opsd.tasks.proving.mariadb import judged
from tests.faults.telling import attempt, nothing_left
from tests.fees import Fees, fees
from tests.site import SET

pytestmark = pytest.mark.xdist_group("mariadb")
BACKUP, PROVE = Task.BACKUP, Task.PROVE
REAL = shutil.which("mariadb-dump")


@dataclass(frozen=True)
class Fault:
    """A row: options of the member that are wrong, or what stands in for the dump's program."""

    name: str
    outcome: Outcome
    reason: str
    key: str
    options: dict[str, Any] = field(default_factory=dict)
    instead: str = ""


FAULTS = [
    Fault(
        "a server that is gone",
        *(Outcome.PARTIAL, "source", "mariadb.unreachable"),
        {"socket": "/nowhere/socket"},
    ),
    Fault(
        "a wrong password",
        *(Outcome.PARTIAL, "source", "mariadb.not_let_in"),
        {"passfile": "BASE/wrong.cnf"},
    ),
    Fault(
        "a database that is not there",
        *(Outcome.PARTIAL, "source", "mariadb.failed"),
        {"database": "nowhere"},
    ),
    Fault(
        "an account that may not hold commits",
        *(Outcome.PARTIAL, "source", "mariadb.forbidden"),
        {"user": "reader"},
    ),
    Fault(
        "a dump that dies at half",
        *(Outcome.PARTIAL, "source", "mariadb.failed"),
        instead=f'{REAL} "$@" | head -c 6000; exit 3',
    ),
    Fault(
        "a dump that is cut off and says nothing",
        *(Outcome.PARTIAL, "source", "mariadb.dump_cut_off"),
        instead=f'{REAL} "$@" | head -c 6000',
    ),
    Fault(
        "a dump that lacks a row",
        *(Outcome.PARTIAL, "source", "dump.differs"),
        instead=f"{REAL} \"$@\" | sed '/^(2,.*Thử/d; s/^(1,.Một cửa phường.*,$/(1,NULL);/'",
    ),
    Fault(
        "a dump that lacks a table",
        *(Outcome.PARTIAL, "source", "dump.table_missing"),
        instead=f"{REAL} \"$@\" | sed '/^CREATE TABLE `empty_one`/,/;$/d'",
    ),
    Fault(
        "a dump that hangs",
        *(Outcome.TIMED_OUT, "timeout", "process.timed_out"),
        instead="sleep 600 & wait",
    ),
]


@pytest.fixture(scope="module")
def living() -> Iterator[Fees]:
    """Backed up once."""
    with fees() as made:
        made.execute("CREATE USER reader@localhost IDENTIFIED BY 'only for tests';")
        made.execute("GRANT SELECT, SHOW VIEW, PROCESS ON *.* TO reader@localhost;")
        wrong = made.base / "wrong.cnf"
        wrong.write_text("[client]\npassword=wrong\n")
        wrong.chmod(0o600)
        assert attempt(made, BACKUP).outcome is Outcome.SUCCEEDED
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_cannot_be_taken_is_told(
    fault: Fault, living: Fees, monkeypatch: pytest.MonkeyPatch
) -> None:
    living.changes = {k: str(v).replace("BASE", str(living.base)) for k, v in fault.options.items()}
    living.timeout = "3s" if fault.outcome is Outcome.TIMED_OUT else "12h"
    if fault.instead:
        stands_in = living.base / "bin" / "mariadb-dump"
        stands_in.parent.mkdir(exist_ok=True)
        stands_in.write_text(f"#!/bin/sh\n{fault.instead}\n")
        stands_in.chmod(0o755)
        monkeypatch.setenv("PATH", f"{stands_in.parent}:{os.environ['PATH']}")
    told = attempt(living, BACKUP)
    assert (told.outcome, told.closing.reason) == (fault.outcome, fault.reason), told.text
    assert fault.key in told.keys, told.text
    living.execute("INSERT INTO empty_one VALUES (1); DELETE FROM empty_one;")  # commits go on
    nothing_left(living)


class Kills(Nobody):
    """The throwaway server dies when a phase begins."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def phase(self, name: str, subject: str = "") -> None:
        if (name, subject) == ("compare", "fees"):
            for pid in system.servers_in(self._scratch):
                os.kill(pid, signal.SIGKILL)


def test_a_throwaway_server_that_dies_says_nothing_of_the_point(living: Fees) -> None:
    living.changes, living.timeout = {}, "12h"
    told = attempt(living, PROVE, watcher=Kills(living.base / "scratch"))
    assert (told.outcome, told.closing.reason) == (Outcome.COULD_NOT_VERIFY, "tool"), told.text
    assert "proof.server_died" in told.keys
    nothing_left(living)


def test_whatever_differs_after_a_restore_is_seen(living: Fees) -> None:
    """The living database against its own manifest, as it is altered step by step."""
    with living.kit() as kit:
        manifest = read_manifest(kit.manifest(SET, "fees").with_suffix(".json"))
    limit = timedelta(minutes=1)

    def found() -> list[str]:
        return [f.key for f in judged(living.database, manifest, limit)[0]]

    assert found() == []
    living.execute("UPDATE kinds SET blob_ = REPEAT(x'00fe', 100) WHERE id = 1;")
    assert found() == ["proof.digest_differs"]
    living.execute("INSERT INTO empty_one VALUES (1);")
    assert found() == ["proof.rows_differ", "proof.digest_differs"]
    living.execute("DROP TABLE empty_one; DROP VIEW paid; CREATE TABLE other (n INT);")
    assert found() == [
        "proof.table_missing",
        "proof.digest_differs",
        "proof.table_extra",
        "proof.objects_missing",
    ]


def test_rows_that_change_places_or_values_that_change_columns_are_told_apart() -> None:
    assert words.digest(2, "10", "255") == "2-a-ff"
    query = words.digest_query(words.TableShape("a`b", "InnoDB", (("x", "int"), ("y", "text"))))
    assert "FROM `a``b`" in query
    assert "SHA2(`y`, 256)" in query
