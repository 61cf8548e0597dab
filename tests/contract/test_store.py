"""What the history promises, asked of a SQLite file and of a real PostgreSQL server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from opsd.errors import StorageFailed
from opsd.keeping import Cause, Drop, Freeze, Hold, Word
from opsd.model import (
    CheckId,
    Closing,
    Evidence,
    Finding,
    Flip,
    Incident,
    Maintenance,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Severity,
    Status,
    Task,
)
from opsd.policy import chain
from opsd.store import Cases, Place, Server, Store, schema
from opsd.store.place import ground
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")

AT = datetime(2026, 11, 23, 18, 30, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SAID = Finding(Severity.FAULT, "retention.proof_failed", {"what": "hồ sơ \x00 \udc80"}, "chi tiết")
ONE = CheckId("srv", "disk", "/")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Place:
    """Where a history lies that nobody has written yet."""
    return stores.fresh() if request.param == "postgresql" else tmp_path / "opsd.sqlite"


def test_trying_to_write_changes_nothing(place: Place) -> None:
    with closing(Store(place)) as store:
        store.try_writing()
        store.try_writing()
        assert not store.unclosed_runs()
    with closing(Store(place)) as again:
        again.try_writing()


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with closing(Store(place)) as found:
        yield found


def a_run(name: str = "r1", at: datetime = AT, slot: datetime | None = AT) -> Run:
    return Run(name, Task.BACKUP, "dossiers", "main", at, "srv", 77, slot)


def a_point(name: str = "r1", at: datetime = AT) -> RecoveryPoint:
    return RecoveryPoint(name, "dossiers", "main", "srv", at, (), complete=True)


def ended(run: str, outcome: Outcome = Outcome.SUCCEEDED) -> Closing:
    return Closing(run, LATER, outcome, timedelta(seconds=3.5), "", (SAID,))


def a_night(store: Store) -> None:
    """A backup, its point and its proof."""
    store.open_run(a_run())
    store.add_evidence(Evidence("r1", AT, "phases", {"read": 1.5, "list": [1, None, "ờ"]}))
    taken = ProofReached("r1", "r1", "main", AT, Proof.TAKEN, Outcome.PASSED)
    store.add_point(a_point(), taken)
    store.add_proof(replace(taken, level=Proof.PROVED, at=LATER))
    store.close_run(ended("r1"))


def test_what_a_night_wrote_is_read_back_as_it_was(store: Store) -> None:
    a_night(store)
    assert store.run("r1") == a_run()
    assert store.runs(Task.BACKUP, "dossiers") == ((a_run(), ended("r1")),)
    assert store.last_run(Task.BACKUP, "dossiers", good=True) == (a_run(), ended("r1"))
    assert store.last_ended(Task.BACKUP, "dossiers") == (a_run(), ended("r1"))
    assert store.fired(Task.BACKUP, "dossiers") == ((a_run(), Outcome.SUCCEEDED),)
    assert store.evidence("r1", "phases") == {"read": 1.5, "list": [1, None, "ờ"]}
    assert [one.kind for one in store.all_evidence("r1")] == ["phases"]
    ((closed_at, said),) = store.good_evidence(Task.BACKUP, "dossiers", {"phases"}, 9)
    assert (closed_at, said.run, said.kind) == (LATER, "r1", "phases")
    assert not store.good_evidence(Task.BACKUP, "dossiers", {"wiped"}, 9)
    assert not store.good_evidence(Task.PROVE, "dossiers", {"phases"}, 9)
    assert store.spans("main", "srv") == ((AT, LATER),)
    assert store.tally(Task.BACKUP, "dossiers") == {"": 1}
    assert store.point("r1") == store.newest_point("dossiers") == a_point()
    assert store.points("dossiers") == store.points_in("main") == (a_point(),)
    assert store.points_in("other") == ()
    assert store.reached("dossiers")["main", Proof.PROVED] == (LATER, AT)
    assert [one.level for one in store.proofs("r1")] == [Proof.TAKEN, Proof.PROVED]
    assert store.unclosed_runs() == ()


def test_a_history_is_nobody_elses_from_its_first_moment(tmp_path: Path) -> None:
    """SQLite gives the files beside it the mode that the file has then."""
    before = os.umask(0o022)
    try:
        with closing(Store(tmp_path / "opsd.sqlite")):
            modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"opsd.sqlite": 0, "opsd.sqlite-shm": 0, "opsd.sqlite-wal": 0}


def test_runs_come_in_the_order_of_their_slots(store: Store) -> None:
    for day in (2, 0, 1):
        at = AT + timedelta(days=day)
        store.open_run(a_run(f"r{day}", at, at))
        store.add_point(a_point(f"r{day}", at))
    assert [run.id for run, _ in store.fired(Task.BACKUP, "dossiers")] == ["r0", "r1", "r2"]
    assert [point.id for point in store.points("dossiers")] == ["r2", "r1", "r0"]
    assert [run.id for run in store.unclosed_runs()] == ["r0", "r1", "r2"]


def test_evidence_of_runs_that_ended_for_a_reason_is_passed_over(store: Store) -> None:
    """The one read before it was refused; another host's; one that is under way counts."""

    def left(name: str, host: str, reason: str | None) -> None:
        store.open_run(replace(a_run(name), host=host))
        store.add_evidence(Evidence(name, AT, "preflight", {"of": name}))
        if reason is not None:
            store.close_run(replace(ended(name), reason=reason))

    assert store.last_evidence("preflight", "srv", unless="clock") is None
    for name, host, reason, last in (
        ("r1", "srv", "clock", None),
        ("r2", "srv", "space", "r2"),
        ("r3", "srv", "clock", "r2"),
        ("r4", "other", "", "r2"),
        ("r5", "srv", None, "r5"),
    ):
        left(name, host, reason)
        found = store.last_evidence("preflight", "srv", unless="clock")
        assert (found and found["of"]) == last
    assert store.last_evidence("phases", "srv", unless="clock") is None


def test_base_copies_are_counted_by_repository_whichever_the_set(store: Store) -> None:
    store.open_run(replace(a_run("b1"), task=Task.BASE, backup_set="one"))
    for name in ("main", "away"):
        store.add_evidence(Evidence("b1", AT, "base", {"repository": name}))
    store.open_run(replace(a_run("b2"), task=Task.BASE, backup_set="two"))
    store.add_evidence(Evidence("b2", AT, "base", {"repository": "main"}))
    store.add_evidence(Evidence("b2", AT, "bases", {"repository": "main"}))
    assert [store.bases_in(name) for name in ("main", "away", "other")] == [2, 1, 0]


def test_what_is_kept_and_dropped_is_read_back_and_told_in_the_chain(store: Store) -> None:
    a_night(store)
    hold, word = Hold("h1", "dossiers", "r1", AT, "chứng cứ", "An"), Word(LATER, "An", "xong")
    freeze = Freeze("f1", "dossiers", AT, Cause.PROOF, "r1", SAID)
    drop = Drop("r1", "dossiers", "main", "r1", LATER, ("ab" * 32,), "ab" * 32)
    store.add_hold(hold)
    store.freeze(freeze)
    assert (list(store.holds("dossiers")), list(store.freezes("dossiers"))) == ([hold], [freeze])
    store.release_hold("h1", word)
    store.thaw([freeze], word)
    assert (list(store.holds("dossiers")), list(store.freezes("dossiers"))) == ([], [])
    assert store.last_drop("main") == 0
    store.drop([drop])
    assert list(store.dropped_from("main", "dossiers")) == [drop]
    assert store.last_drop("main") == store.count_dropped("dossiers") == 1
    assert (store.points("dossiers"), store.count_points("dossiers")) == ((), 0)
    assert store.points_in("main") == ()
    assert [line.kind for line in store.lines()] == [
        "hold", "freeze", "release", "acknowledge", "drop",
    ]  # fmt: skip
    assert chain.breach(store.lines()) is None
    assert store.last_told("hold") is not None
    store.add_verified(LATER, 5)
    assert store.last_verified() == LATER


def test_cases_are_read_back_as_they_were(place: Place) -> None:
    flip = Flip(ONE, AT, Status.OK, Status.CRITICAL, "full", SAID)
    window = Maintenance("m1", AT, LATER, "vá lỗi", "An", host="srv")
    with closing(Cases(place)) as cases:
        cases.add_flip(flip)
        code = cases.open_incident(Incident("", ONE, AT, AT, "full", SAID))
        incident = Incident(code, ONE, AT, AT, "full", SAID)
        cases.start_maintenance(window)
        assert list(cases.flips(AT, ONE)) == [flip]
        assert list(cases.incidents()) == [incident]
        assert list(cases.maintenance(AT)) == [window]
        assert code == "SC-20261123-001"
        cases.close_incident(code, LATER)
        cases.close_incident(code, LATER + timedelta(hours=1))
        cases.end_maintenance("m1", LATER, "An")
        assert list(cases.incidents()) == []
        assert [one.closed_at for one in cases.incidents(AT)] == [LATER]


def test_a_transaction_is_written_as_a_whole_or_not_at_all(store: Store) -> None:
    a_night(store)
    hold = Hold("h1", "dossiers", "", AT, "evidence", "An")
    store.add_hold(hold)
    wrong: list[Callable[[], None]] = [
        lambda: store.add_hold(hold),
        lambda: store.release_hold("none", Word(AT, "An", "x")),
        lambda: store.close_run(ended("r1")),
        lambda: store.close_run(ended("nobody")),
    ]
    for wish in wrong:
        with pytest.raises(StorageFailed):
            wish()
    assert store.head().number == 1
    assert store.runs(Task.BACKUP, "dossiers") == ((a_run(), ended("r1")),)


def statements(table: str, column: str, place: Place) -> Iterator[str]:
    yield f'UPDATE "{table}" SET "{column}" = "{column}"'  # noqa: S608  (our own names)
    yield f'DELETE FROM "{table}"'  # noqa: S608
    if isinstance(place, Server):
        yield f'TRUNCATE "{table}" CASCADE'


def test_no_row_of_any_table_can_be_changed_or_removed(store: Store, place: Place) -> None:
    """But of those that say who is here now."""
    a_night(store)
    store.add_hold(Hold("h1", "dossiers", "", AT, "evidence", "An"))
    filled = {"run", "closing", "evidence", "point", "proof", "hold", "audit"}
    engine = ground(place, "FULL").engine()
    for table in schema.metadata.sorted_tables:
        # SQLite asks its triggers for each row, PostgreSQL for each statement.
        if table is schema.node or (not isinstance(place, Server) and table.name not in filled):
            continue
        for wish in statements(table.name, next(iter(table.columns)).name, place):
            with pytest.raises(SQLAlchemyError, match="append-only"), engine.begin() as connection:
                connection.execute(text(wish))
    engine.dispose()
    assert store.run("r1") == a_run()


def test_every_table_has_its_triggers(store: Store, place: Place) -> None:
    asked = (
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        if isinstance(place, Server)
        else "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    )
    engine = ground(place, "FULL").engine()
    with engine.connect() as connection:
        rows = connection.execute(text(asked)).all()
    engine.dispose()
    held = {str(row[0]).strip('"') for row in rows}
    assert held == {table.name for table in schema.metadata.sorted_tables} - {"node"}
    del store


def test_the_chain_is_whole_after_many_wrote_at_once(store: Store, place: Place) -> None:
    others = [Store(place) for _ in range(4)]
    failed: list[BaseException] = []

    def write(one: Store) -> None:
        try:
            for number in range(15):
                one.tell(AT, "config", "opsd", {"number": number})
        except StorageFailed as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert failed == []
    assert store.head().number == 60
    assert chain.breach(store.lines()) is None


def test_many_may_make_the_tables_at_once(place: Place) -> None:
    failed: list[BaseException] = []

    def open_it() -> None:
        try:
            Store(place).close()
        except StorageFailed as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_newer_form_is_refused_and_nothing_is_written(store: Store, place: Place) -> None:
    mark(place, schema.VERSION + 1)
    with pytest.raises(StorageFailed) as caught:
        Store(place)
    assert caught.value.key == "store.newer"
    del store


def test_an_older_form_gets_what_it_lacks_and_keeps_what_it_has(place: Place) -> None:
    with closing(Store(place)) as store:
        a_night(store)
    engine = ground(place, "FULL").engine()
    with engine.begin() as connection:
        for table in ("claim_end", "claim", "node"):
            connection.execute(text(f"DROP TABLE {table}"))
        if isinstance(place, Server):
            connection.execute(text("DROP TABLE store_form"))
    engine.dispose()
    mark(place, 3)
    with closing(Store(place)) as store:
        assert store.run("r1") == a_run()
        assert store.fired(Task.BACKUP, "dossiers") == ((a_run(), Outcome.SUCCEEDED),)
    with closing(Store(place)):
        pass


def mark(place: Place, version: int) -> None:
    kind = ground(place, "FULL")
    engine = kind.engine()
    with engine.begin() as connection:
        kind.mark(connection, version)
    engine.dispose()


# ------------------------------------------------------------------------ the server's own ways


def test_a_server_that_was_restarted_is_asked_again(stores: Stores) -> None:
    with closing(Store(stores.fresh())) as store:
        a_night(store)
        stores.cluster.stop()
        with pytest.raises(StorageFailed) as caught:
            store.run("r1")
        assert caught.value.key == "store.failed"
        stores.cluster.start()
        assert store.run("r1") == a_run()


def test_the_password_comes_from_its_file_and_is_told_nowhere(
    stores: Stores, tmp_path: Path
) -> None:
    server, secret = stores.fresh(), "s3cret-of-opsd"
    database = server.url.partition("@/")[2].partition("?")[0]
    with stores.asking(server) as connection:
        connection.execute(f"CREATE ROLE keeper LOGIN PASSWORD '{secret}'".encode())
        connection.execute(f"ALTER DATABASE {database} OWNER TO keeper".encode())
        connection.execute(b"GRANT ALL ON SCHEMA public TO keeper")
        allow(stores, f"local {database} keeper scram-sha-256", connection)
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:keeper:{secret}\n")
    passfile.chmod(0o600)
    url = server.url.replace(f"{stores.cluster.superuser}@", "keeper@")
    with closing(Store(Server(url, passfile))) as store:
        a_night(store)
        assert store.run("r1") == a_run()
    passfile.write_text(f"*:*:*:keeper:wrong-{secret}\n")
    with pytest.raises(StorageFailed) as caught:
        Store(Server(url, passfile))
    assert secret not in f"{caught.value} {caught.value.detail} {caught.value.__cause__}"
    assert "password authentication failed" in caught.value.detail


def allow(stores: Stores, line: str, connection: psycopg.Connection[Any]) -> None:
    """Put a line before all others of the server's rules."""
    rules = stores.cluster.data / "pg_hba.conf"
    rules.write_text(f"{line}\n{rules.read_text()}")
    connection.execute(b"SELECT pg_reload_conf()")


def test_a_server_that_is_not_there_is_told_with_its_address(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed) as caught:
        Store(Server(f"postgresql://opsd@/history?host={tmp_path}"))
    assert "postgresql://opsd@/history" in str(caught.value)
