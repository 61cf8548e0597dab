"""A MariaDB database as a member: dumped, proved in a throwaway server, brought back."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd.drivers import system
from opsd.drivers.mariadb import words
from opsd.errors import Refused
from opsd.model import MemberKind, Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Nobody
from opsd.tasks.members.mariadb import read_manifest
from opsd.tasks.prove import prove
from opsd.tasks.proving.mariadb import judged
from opsd.tasks.restore import carry_out, plan
from opsd.tasks.restoring.terms import Door, Request
from tests.faults.telling import attempt, nothing_left
from tests.fees import NAME, Fees, fees
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


@pytest.fixture
def taken(proved: Fees) -> Fees:
    """As it was configured at first."""
    proved.changes, proved.timeout = {}, "12h"
    return proved


@pytest.fixture(scope="module")
def proved() -> Iterator[Fees]:
    """Backed up and proved once."""
    with fees() as made:
        made.execute("CREATE USER reader@localhost IDENTIFIED BY 'only for tests';")
        made.execute("GRANT SELECT, SHOW VIEW, PROCESS ON *.* TO reader@localhost;")
        wrong = made.base / "wrong.cnf"
        wrong.write_text("[client]\npassword=wrong\n")
        wrong.chmod(0o600)
        with made.kit() as kit:
            assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
            result = prove(kit, SET)
            worse = [f for f in result.closing.findings if f.severity > Severity.NOTE]
            assert worse == []
            assert (result.closing.outcome, result.level) == (Outcome.PASSED, Proof.PROVED)
        yield made


def test_it_is_proved_table_by_table(taken: Fees) -> None:
    with taken.kit() as kit:
        run, _ = kit.store.runs(Task.PROVE, SET)[-1]
        told = kit.store.evidence(run.id, "proof")
        assert told is not None
        assert (told["tables"], told["rows"]) == (5, 2005)
        assert (told["invariants"], told["reconciled_rows"]) == (1, 1)
        assert told["canaries"] == {
            "storage": True,
            "files:scans": True,
            "database:fees": True,
            "reconcile:scans": True,
        }
        member = kit.store.points(SET)[-1].members[0]
        assert (member.member, member.kind, member.rows) == ("fees", MemberKind.MARIADB, 2005)
    nothing_left(taken)


def test_what_the_server_said_is_kept_with_the_point(taken: Fees) -> None:
    with taken.kit() as kit:
        found = read_manifest(kit.config.state / "manifests" / SET / "fees.json")
    assert found.database == NAME
    assert found.server_version > 101100
    assert found.log_file.startswith("fees-log.")
    assert found.log_offset > 1000
    assert found.objects == (
        "event nightly",
        "function one",
        "procedure nothing",
        "trigger checked",
        "view paid",
    )
    assert [sequence.name for sequence in found.sequences] == ["drawn"]


def test_it_comes_back_where_a_person_says_and_whatever_differs_is_seen(
    taken: Fees, tmp_path: Path
) -> None:
    taken.execute("CREATE DATABASE back;")
    socket = taken.server.directory / "socket"
    asked = Request(SET, tmp_path / "to", member="fees", load_into="x")
    with taken.kit() as kit:
        door = Door(kit.restic("main"), kit.config.host)
        for name, key in ((NAME, "restore.live_database"), ("mysql", "restore.database_used")):
            into = f"socket={socket} user=root dbname={name}"
            request = replace(asked, load_into=into, target=tmp_path / name)
            with pytest.raises(Refused) as caught:
                carry_out(door, plan(door, request))
            assert caught.value.key == key
        into = f"socket={socket} user=root dbname=back"
        done = carry_out(door, plan(door, replace(asked, load_into=into)))
        manifest = read_manifest(kit.manifest(SET, "fees").with_suffix(".json"))
    assert [found.key for found in done.findings] == []
    assert (done.tables, done.rows) == (5, manifest.rows)
    assert (tmp_path / "to").stat().st_mode & 0o077 == 0
    back = taken.server.database("back")

    def found() -> list[str]:
        return [f.key for f in judged(back, manifest, timedelta(minutes=1))[0]]

    assert found() == []
    for altered, told in (
        ("UPDATE kinds SET blob_ = REPEAT(x'00fe', 100) WHERE id = 1;", ["digest_differs"]),
        ("INSERT INTO empty_one VALUES (1);", ["rows_differ", "digest_differs"]),
        (
            "DROP TABLE empty_one; DROP VIEW paid; CREATE TABLE other (n INT);",
            ["table_missing", "digest_differs", "table_extra", "objects_missing"],
        ),
    ):
        list(back.ask(altered))
        assert found() == [f"proof.{key}" for key in told]


def test_a_server_that_is_written_to_is_dumped_as_of_one_moment(taken: Fees) -> None:
    """What is counted and what is dumped are equal while clients go on to write."""
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            taken.execute("INSERT INTO empty_one SELECT seq FROM seq_1_to_100;")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        with taken.kit() as kit:
            assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
    finally:
        over.set()
        for writer in writers:
            writer.join()
    with taken.kit() as kit:
        kept = read_manifest(kit.config.state / "manifests" / SET / "fees.json")
        taken_rows = {table.name: table.rows for table in kept.tables}["empty_one"]
        result = prove(kit, SET)
    assert result.closing.outcome is Outcome.PASSED
    assert taken_rows % 100 == 0
    now = int(next(taken.database.ask("SELECT COUNT(*) FROM empty_one;"))[0])
    assert 0 < taken_rows < now
    taken.execute("DELETE FROM empty_one;")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_cannot_be_taken_is_told(
    fault: Fault, taken: Fees, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken.changes = {k: str(v).replace("BASE", str(taken.base)) for k, v in fault.options.items()}
    if fault.outcome is Outcome.TIMED_OUT:
        taken.timeout = "3s"
    if fault.instead:
        stands_in = taken.base / "bin" / "mariadb-dump"
        stands_in.parent.mkdir(exist_ok=True)
        stands_in.write_text(f"#!/bin/sh\n{fault.instead}\n")
        stands_in.chmod(0o755)
        monkeypatch.setenv("PATH", f"{stands_in.parent}:{os.environ['PATH']}")
    told = attempt(taken, BACKUP)
    assert (told.outcome, told.closing.reason) == (fault.outcome, fault.reason), told.text
    assert fault.key in told.keys, told.text
    taken.execute("INSERT INTO empty_one VALUES (1); DELETE FROM empty_one;")  # commits go on
    nothing_left(taken)


class Kills(Nobody):
    """The throwaway server dies when a phase begins."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def phase(self, name: str, subject: str = "") -> None:
        if (name, subject) == ("compare", "fees"):
            for pid in system.servers_in(self._scratch):
                os.kill(pid, signal.SIGKILL)


def test_a_throwaway_server_that_dies_says_nothing_of_the_point(taken: Fees) -> None:
    told = attempt(taken, PROVE, watcher=Kills(taken.base / "scratch"))
    assert (told.outcome, told.closing.reason) == (Outcome.COULD_NOT_VERIFY, "tool"), told.text
    assert "proof.server_died" in told.keys
    nothing_left(taken)


def test_rows_that_change_places_or_values_that_change_columns_are_told_apart() -> None:
    assert words.digest(2, "10", "255") == "2-a-ff"
    query = words.digest_query(words.TableShape("a`b", "InnoDB", (("x", "int"), ("y", "text"))))
    assert "FROM `a``b`" in query
    assert "SHA2(`y`, 256)" in query
