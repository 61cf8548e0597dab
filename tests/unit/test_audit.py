"""The audit chain: every decision is in it, and whatever is done to it is seen."""

import os
import pwd
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.drivers import system
from opsd.errors import StorageFailed
from opsd.keeping import BEGINNING, Cause, Drop, Freeze, Head, Hold, Word, digest
from opsd.model import Finding, Maintenance, RecoveryPoint, Run, Severity, Task
from opsd.policy import chain
from opsd.store import Cases, Store

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "opsd.sqlite")
    yield found
    found.close()


def decided(store: Store) -> None:
    """One of everything that is decided."""
    word = Word(AT, "An", "xong việc")
    store.tell(AT, "config", "opsd", {"digest": "ab" * 32, "file": "/etc/opsd/opsd.yaml"})
    store.add_hold(Hold("h1", "dossiers", "n1", AT, "chứng cứ", "An"))
    store.release_hold("h1", word)
    freeze = Freeze(
        "f1", "dossiers", AT, Cause.PROOF, "p1", Finding(Severity.FAULT, "retention.proof_failed")
    )
    store.freeze(freeze)
    store.thaw([freeze], word)
    store.open_run(Run("r1", Task.RETAIN, "dossiers", "main", AT, "srv", 1))
    store.add_point(RecoveryPoint("n1", "dossiers", "main", "srv", AT, (), complete=True))
    store.drop([Drop("n1", "dossiers", "main", "r1", AT, ("ab" * 32,), "ab" * 32)])
    cases = Cases(store.place)
    cases.start_maintenance(Maintenance("m1", AT, AT + timedelta(hours=1), "patching", "An"))
    cases.end_maintenance("m1", AT, "An")
    cases.close()


KINDS = [
    "config", "hold", "release", "freeze", "acknowledge", "drop", "maintenance", "maintenance_end",
]  # fmt: skip


def test_every_decision_is_told_in_order_and_the_chain_is_whole(store: Store) -> None:
    assert store.head() == Head(0, BEGINNING)
    decided(store)
    lines = store.lines()
    assert [line.kind for line in lines] == KINDS
    assert lines[1].body["reason"] == "chứng cứ"
    assert '"chứng cứ"' in lines[1].text
    assert chain.breach(lines) is None
    assert store.head() == Head(len(KINDS), lines[-1].digest)
    assert lines[0].digest == digest(BEGINNING, lines[0].text)


def test_a_line_can_be_neither_changed_nor_removed_by_the_way(store: Store) -> None:
    decided(store)
    with sqlite3.connect(str(store.place)) as connection:
        for wish in ("UPDATE audit SET text = 'x'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(wish)
    connection.close()


def test_what_is_told_and_its_line_are_written_together_or_not_at_all(store: Store) -> None:
    hold = Hold("h1", "dossiers", "", AT, "evidence", "An")
    store.add_hold(hold)
    with pytest.raises(StorageFailed):
        store.add_hold(hold)
    assert store.head().number == 1
    with pytest.raises(StorageFailed):
        store.release_hold("none", Word(AT, "An", "x"))
    assert store.head().number == 1


def test_two_who_write_at_once_do_not_tear_the_chain(store: Store) -> None:
    others = [Store(store.place) for _ in range(3)]

    def write(one: Store) -> None:
        for number in range(20):
            one.tell(AT, "config", "opsd", {"number": number})

    threads = [threading.Thread(target=write, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert store.head().number == 60
    assert chain.breach(store.lines()) is None


# --- harm


def rewritten(connection: sqlite3.Connection, begin: int) -> None:
    """Whoever can write the file can compute the rest of a chain anew."""
    rows = connection.execute("SELECT number, text FROM audit ORDER BY number").fetchall()
    previous = BEGINNING
    for number, text in rows:
        told = digest(previous, text)
        if number >= begin:
            connection.execute(
                "UPDATE audit SET previous = ?, digest = ? WHERE number = ?",
                (previous, told, number),
            )
        previous = told


def sql(*statements: str) -> Callable[[sqlite3.Connection], None]:
    return lambda connection: [connection.execute(one) for one in statements].clear()


def forged(connection: sqlite3.Connection) -> None:
    """A line is altered and its digest computed anew."""
    (text,) = connection.execute("SELECT text FROM audit WHERE number = 3").fetchone()
    (before,) = connection.execute("SELECT previous FROM audit WHERE number = 3").fetchone()
    text = text.replace("An", "Ba")
    connection.execute(
        "UPDATE audit SET text = ?, digest = ? WHERE number = 3", (text, digest(before, text))
    )


def forged_to_the_end(connection: sqlite3.Connection) -> None:
    forged(connection)
    rewritten(connection, 4)


@dataclass(frozen=True)
class Harm:
    """A row: what is done to the chain, and what is said of which line."""

    name: str
    do: Callable[[sqlite3.Connection], None]
    key: str
    line: int


HARMS = (
    Harm(
        "a text altered",
        sql("UPDATE audit SET text = replace(text, 'An', 'Ba') WHERE number = 3"),
        "audit.altered",
        3,
    ),
    Harm(
        "a digest altered",
        sql("UPDATE audit SET digest = 'x' WHERE number = 8"),
        "audit.altered",
        8,
    ),
    Harm(
        "a text that is no JSON",
        sql("UPDATE audit SET text = '' WHERE number = 1"),
        "audit.altered",
        1,
    ),
    Harm("a line forged", forged, "audit.inserted", 4),
    Harm("a line removed", sql("DELETE FROM audit WHERE number = 5"), "audit.removed", 5),
    Harm("the first line removed", sql("DELETE FROM audit WHERE number = 1"), "audit.removed", 1),
    Harm(
        "a line removed and the others moved up",
        sql(
            "DELETE FROM audit WHERE number = 5",
            "UPDATE audit SET number = number - 1 WHERE number > 5",
        ),
        "audit.altered",
        5,
    ),
    Harm(
        "a line copied in",
        sql(
            "UPDATE audit SET number = 9 WHERE number = 8",
            "INSERT INTO audit SELECT 8, text, previous, digest FROM audit WHERE number = 2",
        ),
        "audit.altered",
        8,
    ),
    Harm(
        "lines exchanged",
        sql(
            "UPDATE audit SET number = 99 WHERE number = 2",
            "UPDATE audit SET number = 2 WHERE number = 3",
            "UPDATE audit SET number = 3 WHERE number = 99",
        ),
        "audit.altered",
        2,
    ),
    Harm("the end cut off", sql("DELETE FROM audit WHERE number > 6"), "audit.cut", 7),
    Harm("everything cut off", sql("DELETE FROM audit"), "audit.cut", 2),
    Harm("forged to the end", forged_to_the_end, "audit.replaced", 7),
)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.name)
def test_harm_is_named_with_its_line(harm: Harm, store: Store) -> None:
    decided(store)
    lines = store.lines()
    noted = [(f"n{number}", Head(number, lines[number - 1].digest)) for number in (2, 7)]
    assert chain.cut(lines, noted) is None
    connection = sqlite3.connect(str(store.place))
    for verb in ("update", "delete"):
        connection.execute(f"DROP TRIGGER audit_no_{verb}")
    harm.do(connection)
    connection.commit()
    connection.close()
    harmed = store.lines()
    found = chain.breach(harmed) or chain.cut(harmed, noted)
    assert found is not None
    line = found.fields.get("number", found.fields.get("count"))
    assert (found.key, line) == (harm.key, harm.line)


def test_a_chain_that_began_anew_with_a_rebuilt_history_names_the_end_of_the_old(
    store: Store,
) -> None:
    old = Head(40, "cd" * 32)
    store.tell(AT, "rebuilt", "opsd", {"run": "r1", "heads": [old.digest]})
    assert chain.cut(store.lines(), [("n1", old)]) is None
    longer = Head(41, "ef" * 32)
    found = chain.cut(store.lines(), [("n1", old), ("n2", longer)])
    assert found is not None
    assert found.key == "audit.cut"


def test_who_decided_is_asked_of_the_kernel_and_not_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert system.user() == pwd.getpwuid(os.geteuid()).pw_name
