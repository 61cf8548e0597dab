"""A member that commands of the site take: a real SQLite database, by its own tool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsd.contents import CommandManifest
from opsd.errors import Refused, ToolFailed
from opsd.model import MemberKind, Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.members.captured import STORED
from opsd.tasks.members.command import read_manifest
from opsd.tasks.prove import prove
from opsd.tasks.rebuild import rebuild
from opsd.tasks.restore import carry_out, plan
from opsd.tasks.restoring.terms import Door, Request
from tests.ledger import Ledger, ledger
from tests.site import SET


@pytest.fixture(scope="module")
def taken() -> Iterator[Ledger]:
    """Backed up and proved once; what is tried on it changes neither."""
    with ledger() as made:
        with made.kit() as kit:
            assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
            result = prove(kit, SET)
            assert (result.closing.outcome, result.level) == (Outcome.PASSED, Proof.PROVED)
            assert not [f for f in result.closing.findings if f.severity is not Severity.NOTE]
        yield made


def test_it_is_proved_table_by_table_and_a_loss_would_be_seen(taken: Ledger) -> None:
    with taken.kit() as kit:
        run, closing = kit.store.runs(Task.PROVE, SET)[0]
        assert closing is not None
        told = kit.store.evidence(run.id, "proof")
        assert told is not None
        assert (told["tables"], told["rows"], told["files"]) == (3, 2002, 1)
        assert told["canaries"] == {
            "storage": True,
            "files:scans": True,
            "verify:ledger": True,
            "restore:ledger": True,
        }
        member = kit.store.points(SET)[0].members[0]
        assert (member.member, member.kind) == ("ledger", MemberKind.COMMAND)
        assert (member.files, member.rows) == (3, 2002)
        stored = kit.store.all_evidence(kit.store.runs(Task.BACKUP, SET)[0][0].id)
        rows = {one.body["part"]: one.body["rows"] for one in stored if one.kind == STORED}
        assert rows == {"ledger": 2002, "scans": 0, "record": 0}  # what the tripwire looks at
        assert not list(kit.config.scratch.iterdir())


def test_what_it_said_is_kept_with_the_point(taken: Ledger) -> None:
    with taken.kit() as kit:
        found = read_manifest(kit.config.state / "manifests" / SET / "ledger.json")
    assert isinstance(found, CommandManifest)
    assert found.database.startswith("SQLite 3.")
    assert {t.qualified: t.rows for t in found.tables} == {
        "empty_one": 0,
        "office": 2,
        'khoản "thu"': 2000,
    }
    assert [file.path for file in found.files] == ["dump.sql"]
    assert found.restore[-1] == "restore"


def test_a_person_gets_it_back_where_they_say(taken: Ledger, tmp_path: Path) -> None:
    place = tmp_path / "back"
    with taken.kit() as kit:
        members = kit.config.backup_sets[SET].members
        door = Door(kit.restic("main"), kit.config.host, members=members)
        asked = Request(SET, tmp_path / "to", member="ledger", load_into=str(place))
        done = carry_out(door, plan(door, asked))
        assert (done.good, done.tables, done.rows) == (True, 3, 2002)
        again = Request(SET, tmp_path / "again", member="ledger", load_into=str(place))
        with pytest.raises(Refused) as caught:
            carry_out(door, plan(door, again))
        assert caught.value.key == "command.in_the_way"
    counted = ["sqlite3", str(place / "database"), "SELECT count(*) FROM office"]
    assert subprocess.run(counted, check=True, capture_output=True).stdout == b"2\n"


def test_without_commands_the_files_are_fetched_and_verified(taken: Ledger, tmp_path: Path) -> None:
    with taken.kit() as kit:
        door = Door(kit.restic("main"), kit.config.host)
        done = carry_out(door, plan(door, Request(SET, tmp_path / "to")))
        assert done.good
        told = {found.key: found for found in done.findings}
        assert "sqlite restore" in str(told["restore.fetched_only"].fields["argv"])
        assert (tmp_path / "to" / "ledger" / "dump.sql").stat().st_size > 1000
        asked = Request(SET, tmp_path / "more", member="ledger", load_into="/nowhere")
        with pytest.raises(ToolFailed) as caught:
            carry_out(door, plan(door, asked))
        assert caught.value.key == "command.not_configured"


def test_the_history_is_made_anew_from_the_repository(taken: Ledger) -> None:
    with taken.kit() as kit:
        before = kit.store.points(SET)[0]
        rebuild(kit)
        assert [m.kind for m in kit.store.points(SET)[0].members] == [
            m.kind for m in before.members
        ]


def test_the_command_line_tells_it_like_any_other_member(taken: Ledger) -> None:
    argv = [sys.executable, "-m", "opsd", "points", SET, "--json"]
    done = subprocess.run(
        [*argv, "--config", str(taken.config_file)], capture_output=True, check=False, timeout=60
    )
    told = json.loads(done.stdout)
    kinds = [m["kind"] for m in told["sets"][SET][0]["members"]]
    assert sorted(kinds) == ["command", "files"]


def test_an_emptied_table_is_worth_a_look() -> None:
    with ledger() as made, made.kit() as kit:
        assert back_up(kit, SET).closing.outcome.good
        made.execute("DELETE FROM office WHERE id > 5")
        made.execute('DELETE FROM "khoản ""thu"""')
        told = {found.key: found for found in back_up(kit, SET).closing.findings}
        assert told["change.table_emptied"].fields["table"] == 'khoản "thu"'
