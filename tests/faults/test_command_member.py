"""Commands of a site that fail, hang, take too much or say nothing: told as what they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsd.drivers import system
from opsd.model import Outcome, Proof, Task
from tests.faults.child import child
from tests.faults.telling import attempt, nothing_left
from tests.ledger import PYTHON, SAMPLE, Ledger, ledger
from tests.site import SET

BACKUP, PROVE = Task.BACKUP, Task.PROVE
TOLD = '{"source": "x", "tables": [{"name": "t", "rows": 1, "digest": "d"}]}'
TELL = f"printf '%s' '{TOLD}' >$OPSD_MANIFEST"
# What hangs with its whole family: a child, and one that left group and session.
HANG = "sleep 600 & setsid sleep 600 & wait"


@dataclass(frozen=True)
class Fault:
    """A row: what is wrong with which command, and what must be told. `BASE` is a directory."""

    name: str
    verb: str
    wrong: dict[str, Any]
    outcome: Outcome
    reason: str
    key: str

    def at(self, base: Path) -> dict[str, Any]:
        """The options of the command that is wrong."""
        argv = [part.replace("BASE", str(base)) for part in self.wrong.get("argv", ())]
        return {**self.wrong, "argv": argv} if argv else self.wrong


def shell(script: str, *arguments: str, **options: Any) -> dict[str, Any]:
    return {"argv": ["sh", "-c", script, "sh", *arguments], **options}


PRODUCING = [
    Fault(
        "a dump that dies at half",
        "produce",
        shell("head -c 5000 /dev/zero >$OPSD_ARTEFACT/dump.sql; echo 'lost the link' >&2; exit 3"),
        *(Outcome.PARTIAL, "source", "command.bad"),
    ),
    Fault(
        "a server that is gone",
        "produce",
        {"argv": [SAMPLE, "produce", "/nowhere/ledger.db"]},
        *(Outcome.PARTIAL, "source", "command.unavailable"),
    ),
    Fault(
        "a wrong password",
        "produce",
        shell("grep -q '^right$' $OPSD_PASSFILE || exit 77"),
        *(Outcome.PARTIAL, "source", "command.not_let_in"),
    ),
    Fault(
        "a program that is not there",
        "produce",
        {"argv": ["/nowhere/dump", "produce"]},
        *(Outcome.PARTIAL, "tool", "process.cannot_start"),
    ),
    Fault(
        "more output than it may write",
        "produce",
        shell("head -c 9000000 /dev/zero >$OPSD_ARTEFACT/a; sleep 600", output="4MiB"),
        *(Outcome.PARTIAL, "limit", "command.output"),
    ),
    Fault(
        "more output, written too fast to be seen",
        "produce",
        shell(f"{TELL}; head -c 9000000 /dev/zero >$OPSD_ARTEFACT/a", output="4MiB"),
        *(Outcome.PARTIAL, "limit", "command.output"),
    ),
    Fault(
        "more memory than it may use",
        "produce",
        {
            "argv": [PYTHON, "-c", "x = b'x' * (160 << 20); import time; time.sleep(600)"],
            "memory": "60MiB",
        },
        *(Outcome.PARTIAL, "limit", "command.memory"),
    ),
    Fault(
        "a dump that hangs with its family",
        "produce",
        shell(HANG, timeout="1s"),
        *(Outcome.PARTIAL, "timeout", "command.timed_out"),
    ),
    Fault(
        "a dump that says nothing of the source",
        "produce",
        shell("echo x >$OPSD_ARTEFACT/a"),
        *(Outcome.PARTIAL, "limit", "command.told_nothing"),
    ),
]

PROVING = [
    Fault(
        "a restore that cannot load it",
        "restore",
        shell("exit 4"),
        *(Outcome.FAILED, "integrity", "command.bad"),
    ),
    Fault(
        "a restore that has nowhere to work",
        "restore",
        shell("exit 69"),
        *(Outcome.COULD_NOT_VERIFY, "tool", "command.unavailable"),
    ),
    Fault(
        "a restore that loses rows",
        "restore",
        shell(
            f'{SAMPLE} restore && sqlite3 "$OPSD_INTO/database" "$1"',
            "DELETE FROM office WHERE id = 2",
        ),
        *(Outcome.FAILED, "integrity", "proof.rows_differ"),
    ),
    Fault(
        "a restore that writes more than it may",
        "restore",
        {"output": "64KiB"},
        *(Outcome.COULD_NOT_VERIFY, "tool", "command.output"),
    ),
    Fault(
        "a verify that verifies nothing",
        "verify",
        shell("cp BASE/said.json $OPSD_MANIFEST"),
        *(Outcome.FAILED, "integrity", "proof.blind"),
    ),
    Fault(
        "a restore that is content with half of it",
        "restore",
        shell("cp BASE/ledger.db $OPSD_INTO/database"),
        *(Outcome.FAILED, "integrity", "proof.blind"),
    ),
    Fault(
        "a verify that says nothing",
        "verify",
        shell("exit 0"),
        *(Outcome.COULD_NOT_VERIFY, "tool", "command.told_nothing"),
    ),
    Fault(
        "a verify that finds it bad",
        "verify",
        shell("exit 1"),
        *(Outcome.FAILED, "integrity", "command.bad"),
    ),
    Fault(
        "a verify that hangs with its family",
        "verify",
        shell(HANG, timeout="1s"),
        *(Outcome.TIMED_OUT, "timeout", "command.timed_out"),
    ),
]


@pytest.fixture(scope="module")
def taken() -> Iterator[Ledger]:
    """Backed up once; what `produce` said is kept aside."""
    with ledger() as made:
        again = f'{SAMPLE} produce {made.database} && cp "$OPSD_MANIFEST" {made.base}/said.json'
        made.changes = {"produce": shell(again)}
        assert attempt(made, BACKUP).outcome is Outcome.SUCCEEDED
        (made.base / "passfile").write_text("wrong\n")
        (made.base / "passfile").chmod(0o600)
        yield made


@pytest.mark.parametrize("fault", PRODUCING, ids=lambda fault: fault.name)
def test_what_cannot_be_taken_leaves_the_rest_taken(fault: Fault, taken: Ledger) -> None:
    passfile = str(taken.base / "passfile")
    taken.changes = {fault.verb: fault.at(taken.base), "passfile": passfile}
    told = attempt(taken, BACKUP)
    assert (told.outcome, told.closing.reason) == (fault.outcome, fault.reason), told.text
    assert fault.key in told.keys, told.text
    with taken.kit() as kit:
        point = kit.store.points(SET)[0]
        assert [member.member for member in point.members] == ["scans"]
        stored = kit.restic("main").snapshots(f"run:{point.id}")
        assert len(stored) == 2, "something of a member that failed was stored"
    nothing_left(taken)
    assert not system.workers_in(taken.base)


@pytest.mark.parametrize("fault", PROVING, ids=lambda fault: fault.name)
def test_what_is_wrong_with_a_proof_is_told(fault: Fault, taken: Ledger) -> None:
    taken.changes = {fault.verb: fault.at(taken.base)}
    told = attempt(taken, PROVE)
    assert (told.outcome, told.closing.reason) == (fault.outcome, fault.reason), told.text
    assert fault.key in told.keys, told.text
    with taken.kit() as kit:
        point = next(point for point in kit.store.points(SET) if point.complete)
        reached = {p.level for p in kit.store.proofs(point.id) if p.outcome.good}
        assert reached.isdisjoint({Proof.RESTORED, Proof.PROVED})
    nothing_left(taken)
    assert not system.workers_in(taken.base)


def test_what_outlives_a_killed_opsd_is_ended_by_the_next_run(taken: Ledger) -> None:
    taken.changes = {"produce": shell(HANG)}
    with child(taken, BACKUP) as opsd:
        opsd.until("dump ledger")
        deadline = time.monotonic() + 30
        while len(system.workers_in(taken.base)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        opsd.kill()
    assert system.workers_in(taken.base)
    taken.changes = {}
    assert attempt(taken, BACKUP).outcome is Outcome.SUCCEEDED
    assert not system.workers_in(taken.base)
    nothing_left(taken)
