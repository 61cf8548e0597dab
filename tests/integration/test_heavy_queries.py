"""A query of the configuration that would go on for days ends with the proof's time, or its end."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import closing
from datetime import timedelta

import psutil
import psycopg
import pytest

from opsd.drivers.postgres import Connection, Database
from opsd.drivers.process import NEVER, Stop
from opsd.errors import Cancelled, OpsdError, TimedOut
from opsd.model import Outcome, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit
from opsd.tasks.prove import prove
from tests.faults.telling import attempt, nothing_left
from tests.site import SET, Site

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SOON = 30.0
# A join without its condition: it takes no room, and days.
HEAVY = "SELECT 1 FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a + b < 0"
FILES = HEAVY.replace("SELECT 1", "SELECT a::text, b, ''", 1)
INVARIANT = f"""\
      invariants:
        - {{name: heavy, member: database, query: "{HEAVY}"}}
"""


@pytest.mark.parametrize("query", [HEAVY, FILES], ids=["invariant", "reconcile"])
@pytest.mark.parametrize(("stopped", "error"), [(False, TimedOut), (True, Cancelled)])
def test_a_query_ends_in_time(
    query: str, stopped: bool, error: type[OpsdError], site: Site
) -> None:
    limit, stop = (HOUR, Stop()) if stopped else (SECOND, NEVER)
    asking = threading.Timer(1, stop.request) if stopped else None
    if asking:
        asking.start()
    began = time.monotonic()
    with (
        pytest.raises(error) as caught,
        Database(site.system.connection).connect() as connection,
    ):
        _ask(connection, query, limit, stop)
    assert 0.9 < time.monotonic() - began < SOON
    assert stopped or caught.value.detail == query


def test_a_server_that_is_frozen_in_a_query_is_left_in_time(site: Site) -> None:
    """It answers nobody, and no wish to cancel either."""
    server = psutil.Process(site.system.cluster.pid)
    family: list[psutil.Process] = []

    def freeze() -> None:
        family.extend((server, *server.children(recursive=True)))
        for one in family:
            one.suspend()

    freezing = threading.Timer(0.5, freeze)
    freezing.start()
    began = time.monotonic()
    try:
        with (
            pytest.raises(TimedOut),
            Database(site.system.connection).connect() as connection,
        ):
            _ask(connection, HEAVY, 2 * SECOND, NEVER)
        assert len(family) > 1
        assert time.monotonic() - began < SOON
    finally:
        freezing.join()
        for one in family:
            one.resume()


def _ask(connection: Connection, query: str, limit: timedelta, stop: Stop) -> None:
    if query is HEAVY:
        connection.violations(query, limit, stop)
        return
    with closing(connection.named_files(query, limit, stop)) as rows:
        list(rows)


def test_a_proof_with_a_heavy_invariant_is_out_of_time(site: Site) -> None:
    assert attempt(site, Task.BACKUP).outcome.good
    site.changes["      invariants:\n"] = f"      timeout: 20s\n{INVARIANT}"
    began = time.monotonic()
    told = attempt(site, Task.PROVE)
    assert time.monotonic() - began < 20 + SOON
    assert told.outcome is Outcome.TIMED_OUT, told.text
    assert told.keys["database.timed_out"].detail == HEAVY
    nothing_left(site)


def test_a_proof_with_a_heavy_invariant_hears_that_it_shall_end(site: Site) -> None:
    site.changes["      invariants:\n"] = INVARIANT
    asked: list[float] = []
    with site.kit() as kit:
        back_up(kit, SET)
        watching = threading.Thread(target=_stop_at_the_query, args=(kit, asked))
        watching.start()
        with pytest.raises(Cancelled):
            prove(kit, SET)
        ended = time.monotonic()
        watching.join()
        found = kit.store.last_run(Task.PROVE, SET)
    assert asked
    assert ended - asked[0] < SOON
    assert found is not None
    assert found[1] is not None
    assert found[1].outcome is Outcome.INTERRUPTED
    nothing_left(site)


def _stop_at_the_query(kit: Kit, asked: list[float]) -> None:
    """Ask for the end when the throwaway server has been at one query for a second."""
    since: dict[int, float] = {}
    deadline = time.monotonic() + 2 * SOON
    while not asked and time.monotonic() < deadline:
        busy = {p.pid for p in psutil.process_iter() if _at_a_query(p)}
        since = {pid: since.get(pid, time.monotonic()) for pid in busy}
        if any(time.monotonic() - at > 1 for at in since.values()):
            asked.append(time.monotonic())
        time.sleep(0.1)
    kit.stop.request()


def _at_a_query(process: psutil.Process) -> bool:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "opsd_prover restored" in words and words.rstrip().endswith("SELECT")


def test_a_large_object_is_read_in_pieces(site: Site) -> None:
    """The digest is that of the whole, and no answer of the server has more than a piece."""
    content = bytes(range(256)) * (10 << 10) + b"end"
    with psycopg.connect(site.system.connection, autocommit=True) as office:
        row = office.execute("SELECT lo_from_bytea(0, %s)", (content,)).fetchone()
        assert row is not None
    with Database(site.system.connection).connect() as connection:
        assert list(connection.large_objects(HOUR, NEVER)) == [
            (row[0], hashlib.sha256(content).hexdigest())
        ]
        pieces = [len(piece) for piece in connection._pieces(row[0])]
    assert pieces == [1 << 20, 1 << 20, len(content) - (2 << 20)]
