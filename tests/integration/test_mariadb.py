"""A MariaDB database as a member: dumped, proved in a throwaway server, brought back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opsd.errors import Refused
from opsd.model import MemberKind, Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.members.mariadb import read_manifest
from opsd.tasks.prove import prove
from opsd.tasks.restore import carry_out, plan
from opsd.tasks.restoring.terms import Door, Request
from tests.faults.telling import nothing_left
from tests.fees import NAME, Fees, fees
from tests.site import SET

pytestmark = pytest.mark.xdist_group("mariadb")


@pytest.fixture(scope="module")
def taken() -> Iterator[Fees]:
    """Backed up and proved once."""
    with fees() as made:
        with made.kit() as kit:
            assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
            result = prove(kit, SET)
            worse = [f for f in result.closing.findings if f.severity > Severity.NOTE]
            assert worse == []
            assert (result.closing.outcome, result.level) == (Outcome.PASSED, Proof.PROVED)
        yield made


def test_it_is_proved_table_by_table(taken: Fees) -> None:
    with taken.kit() as kit:
        run, _ = kit.store.runs(Task.PROVE, SET)[0]
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
        member = kit.store.points(SET)[0].members[0]
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


def test_it_comes_back_into_a_database_that_a_person_names(taken: Fees, tmp_path: Path) -> None:
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
    assert [found.key for found in done.findings] == []
    assert (done.tables, done.rows) == (5, 2005)
    assert (tmp_path / "to").stat().st_mode & 0o077 == 0


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
