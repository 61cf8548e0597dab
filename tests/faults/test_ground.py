"""What stands against a run from outside: clocks, other runs, a dump that dies at half."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import psutil
import psycopg
import pytest

from opsd.clock import now
from opsd.drivers import system
from opsd.drivers.postgres import Connection, ServerFacts
from opsd.model import Outcome, Task
from tests.faults.child import child, gone
from tests.faults.stopped import stopped_check
from tests.faults.telling import all_is_well, attempt, nothing_left
from tests.meanwhile import meanwhile
from tests.site import SET, Site

BACKUP, PROVE = Task.BACKUP, Task.PROVE
HOUR = timedelta(hours=1)
PATIENCE = 30.0


@contextmanager
def seen_by(witness: str, offset: timedelta, site: Site) -> Iterator[None]:
    """The clock of this machine was set by `offset`; who could know?"""
    with pytest.MonkeyPatch.context() as machine, ExitStack() as after:
        if witness == "a database of this machine":  # it shares the clock
            asked = Connection.facts

            def facts(connection: Connection) -> ServerFacts:
                found = asked(connection)
                return replace(found, clock=found.clock + offset)

            machine.setattr(Connection, "facts", facts)
        if witness == "the repository alone":  # and the machine was restarted
            machine.setattr(system, "boot", lambda: system.Boot("another", timedelta(minutes=1)))
            site.system.cluster.stop()
            after.callback(site.system.cluster.start)
        yield


@pytest.mark.parametrize(
    ("offset", "witness", "key"),
    [
        (HOUR, "a database elsewhere", "clock.differs"),
        (-HOUR, "a database elsewhere", "clock.differs"),
        (HOUR, "a database of this machine", "clock.moved"),
        (-HOUR, "a database of this machine", "clock.moved"),
        (-HOUR, "the repository alone", "clock.behind"),
    ],
    ids=[
        "an hour ahead",
        "an hour behind",
        "an hour ahead, and so is the database",
        "an hour behind, and so is the database",
        "an hour behind the newest snapshot",
    ],
)
def test_a_wrong_clock_dates_nothing(
    offset: timedelta, witness: str, key: str, ward: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "clock_synchronised", lambda: False)  # as when somebody set it
    with ward.kit() as kit:
        before = kit.store.points(SET), kit.restic("main").snapshots()
    with seen_by(witness, offset, ward):
        for _ in ("refused", "and again: what was refused is no measure"):
            told = attempt(ward, BACKUP, clock=lambda: now() + offset)
            assert (told.outcome, told.closing.reason) == (Outcome.FAILED, "clock"), told.text
            assert key in told.keys
    with ward.kit() as kit:
        assert (kit.store.points(SET), kit.restic("main").snapshots()) == before
    all_is_well(ward)


@pytest.mark.parametrize("task", [BACKUP, PROVE], ids=str)
def test_a_repository_held_by_another_run(task: Task, ward: Site) -> None:
    with child(ward, BACKUP) as other:
        other.until("upload scans")
        other.process.send_signal(signal.SIGSTOP)
        told = attempt(ward, task)
        assert told.closing.reason == "locked", told.text
        assert not told.outcome.good
        assert str(other.process.pid) in f"{told.keys['repository.held'].fields['holder']}"
        family = other.kill()
    assert gone(family)
    all_is_well(ward)
    with ward.kit() as kit:
        outcomes = [closing.outcome for _, closing in kit.store.runs(BACKUP, SET) if closing]
    assert Outcome.INTERRUPTED in outcomes


@pytest.mark.parametrize(
    ("task", "outcome"),
    [(BACKUP, Outcome.FAILED), (PROVE, Outcome.COULD_NOT_VERIFY)],
    ids=["backup", "proof"],
)
def test_a_repository_locked_by_restic(task: Task, outcome: Outcome, ward: Site) -> None:
    with stopped_check(ward):
        told = attempt(ward, task)
        assert (told.outcome, told.closing.reason) == (outcome, "locked"), told.text
        assert "repository.locked" in told.keys
    nothing_left(ward)
    all_is_well(ward)


# --- the dump


def enlarge(site: Site) -> None:
    """A table whose dump takes long enough to be met in the middle."""
    with psycopg.connect(site.system.connection) as connection:
        connection.execute(
            "CREATE TABLE bulk AS SELECT n, repeat(md5(n::text), 30) AS text"
            " FROM generate_series(1, 80000) AS n"
        )


@contextmanager
def terminating(site: Site) -> Iterator[None]:
    """End pg_dump's backends as soon as one of them copies a table out."""
    struck: list[tuple[object, ...]] = []

    def hunt(over: threading.Event) -> None:
        with psycopg.connect(site.system.connection, autocommit=True) as connection:
            while not over.is_set() and not struck:
                struck.extend(
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'pg_dump' AND pid <> pg_backend_pid()"
                        " AND query LIKE 'COPY %bulk%' AND state = 'active'"
                    ).fetchall()
                )
                over.wait(0.002)

    with meanwhile(hunt):
        yield
    assert struck, "no COPY was ever seen"


def test_a_dump_that_dies_at_half(own: Site) -> None:
    enlarge(own)
    with terminating(own):
        told = attempt(own, BACKUP)
    assert (told.outcome, told.closing.reason) == (Outcome.PARTIAL, "source"), told.text
    assert "pgtools.failed" in told.keys
    with own.kit() as kit:
        point = kit.store.points(SET)[0]
        assert not point.complete
        assert point.member("database") is None
        stored = kit.restic("main").snapshots("opsd", f"run:{point.id}")
        assert not [s for s in stored if "part:database" in s.tags], "a half dump was stored"
    nothing_left(own)
    all_is_well(own)


def test_a_dump_that_dies_while_the_count_waits(own: Site) -> None:
    """The count of the same table waits for a lock that nobody gives: it must not wait for ever."""
    with psycopg.connect(own.system.connection) as holder:
        holder.execute("LOCK TABLE progress_step IN ACCESS EXCLUSIVE MODE")
        killer = threading.Thread(target=kill_waiting_dump)
        killer.start()
        told = attempt(own, BACKUP)
        killer.join()
        holder.rollback()
    assert (told.outcome, told.closing.reason) == (Outcome.PARTIAL, "tool"), told.text
    all_is_well(own)


def kill_waiting_dump() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for found in psutil.Process().children(recursive=True):
            try:
                if found.name() == "pg_dump":
                    time.sleep(0.3)  # so that it stands at the lock
                    found.kill()
                    return
            except psutil.Error:
                continue
        time.sleep(0.01)


LATE = """\
#!/bin/sh
case "$*" in
*" snapshots "*) sleep 3; echo "wrong password or no key found" >&2; exit 12;;
*" backup "*) touch {written};;
esac
exec restic "$@"
"""


def test_nothing_is_written_before_the_repository_was_looked_at(ward: Site) -> None:
    """The dump is over long before; it waits, and is dropped."""
    program, written = ward.base / "late-restic", ward.base / "written"
    program.write_text(LATE.format(written=written))
    program.chmod(0o755)
    ward.changes["host: test-host\n"] = f"host: test-host\nrestic: {program}\n"
    told = attempt(ward, BACKUP)
    assert (told.outcome, told.closing.reason) == (Outcome.FAILED, "password"), told.text
    with ward.kit() as kit:
        phases = kit.store.evidence(told.closing.run, "phases")
    assert phases
    assert "dump" in phases  # it was under way meanwhile
    assert not written.exists()
    del ward.changes["host: test-host\n"]
    nothing_left(ward)
    all_is_well(ward)
