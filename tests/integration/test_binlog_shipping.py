"""A received binary log on its way into a repository: whole, torn, damaged, with a part missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.binlog import Kept, LogFile, Spot
from opsd.config.binlog import Binlog
from opsd.config.mariadb import MariadbMember
from opsd.drivers.mariadb.binlog import Logged
from opsd.drivers.seal import Seal
from opsd.model import Evidence, Run, Status, Task
from opsd.policy.binlog import worth
from opsd.tasks.binlog import shipping
from opsd.tasks.binlog.guarding import Look, results
from opsd.tasks.binlog.shelf import Shelf
from opsd.tasks.binlog.shipping import Shipped, Shipper, clear
from opsd.tasks.binlog.stream import ASIDE, Stream
from opsd.tasks.keys import Keys
from opsd.tasks.wal.receiving import Reception
from tests.binlogs import AT, QUERY, ROTATE, log
from tests.ledger import ledger
from tests.site import SET

SERVER = "fXdYp7ZW/AMM="
FIRST = log((QUERY, b"one", AT + 1), (ROTATE, b"two", AT + 2))
SECOND = log((QUERY, b"two" * 100, AT + 3))
MORE = log((QUERY, b"two" * 100, AT + 3), (QUERY, b"three", AT + 4))
ONE, TWO, THREE = (LogFile("log", number) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def shared() -> Iterator[Stream]:
    """A stream into a repository."""
    with ledger() as made, made.kit() as kit:
        binlog = Binlog(directory=str(made.base / "binlog"))  # type: ignore[arg-type]
        member = MariadbMember(kind="mariadb", database="x", socket="/nowhere", binlog=binlog)  # type: ignore[arg-type]
        yield Stream(kit, SET, "fees", member, binlog)


@pytest.fixture
def stream(shared: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream:
    """One with a directory and a place in the repository of its own, by keys at hand."""
    monkeypatch.setattr(shipping, "open_shelf", lambda stream, *_: shelf_of(stream))
    binlog = shared.binlog.model_copy(update={"directory": tmp_path})
    return replace(shared, name=tmp_path.name.replace("_", "-"), binlog=binlog)


def shelf_of(stream: Stream) -> Shelf:
    storage = stream.kit.storage("main")
    assert storage is not None
    keys = Keys(stream.kit, "main", Seal(b"h" * 32, b"m" * 32))
    return Shelf(storage, keys, f"binlog/{SET}/{stream.name}")


def shipped(stream: Stream) -> Shipper:
    shipper = Shipper(stream, "main")
    shipper.turn(SERVER)
    return shipper


def kept(stream: Stream) -> dict[LogFile, Kept]:
    return shelf_of(stream).holdings()


def fetched(stream: Stream, file: LogFile, target: Path) -> bytes:
    shelf = shelf_of(stream)
    shelf.holdings()
    shelf.fetch(file, target)
    return target.read_bytes()


def test_what_grows_goes_piece_by_piece_and_once_closed_as_one(
    stream: Stream, tmp_path: Path
) -> None:
    (tmp_path / "log.000001").write_bytes(FIRST)
    (tmp_path / "log.000002").write_bytes(SECOND + b"half an event")
    shipper = shipped(stream)
    assert str(shipper.shipped.end) == f"log.000002:{len(SECOND)}"
    (tmp_path / "log.000002").write_bytes(MORE)
    shipper.turn(SERVER)
    assert str(shipper.shipped.end) == f"log.000002:{len(MORE)}"
    found = kept(stream)
    assert (found[ONE].bytes, found[ONE].closed) == (len(FIRST), True)
    assert (found[TWO].bytes, found[TWO].closed) == (len(MORE), False)
    assert fetched(stream, TWO, tmp_path / "back") == MORE
    (tmp_path / "log.000003").write_bytes(FIRST)  # the server died; it began another
    shipper.turn(SERVER)
    assert kept(stream)[TWO].closed
    assert shipper.shipped.gap is None
    clear(stream, [shipper.held])
    assert not (tmp_path / "log.000001").exists()
    assert (tmp_path / "log.000002").exists()


def test_what_was_put_aside_counts_until_as_much_was_received_again(
    stream: Stream, tmp_path: Path
) -> None:
    (tmp_path / f"log.000002{ASIDE}").write_bytes(MORE)
    (tmp_path / "log.000002").write_bytes(SECOND[:50])
    assert str(shipped(stream).shipped.end) == f"log.000002:{len(MORE)}"


def test_a_damaged_file_is_refused_and_what_is_good_of_it_kept(
    stream: Stream, tmp_path: Path
) -> None:
    damaged = bytearray(MORE)
    damaged[-3] ^= 1
    (tmp_path / "log.000001").write_bytes(FIRST)
    (tmp_path / "log.000002").write_bytes(damaged)
    shipper = shipped(stream)
    assert shipper.shipped.refused == (f"log.000002: checksum at {len(SECOND)}",)
    assert kept(stream)[TWO].bytes == len(SECOND)
    assert statuses(stream, shipper.shipped)["main"] == (Status.CRITICAL, "refused")


def test_a_file_or_a_part_that_is_missing_is_named(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "log.000001").write_bytes(FIRST)
    (tmp_path / "log.000003").write_bytes(SECOND)
    shipper = shipped(stream)
    assert shipper.shipped.gap == TWO
    assert statuses(stream, shipper.shipped)["main"] == (Status.CRITICAL, "gap")
    shelf = shelf_of(stream)
    shelf.holdings()
    shelf.keep(THREE, len(SECOND) + 10, b"behind a hole")
    assert kept(stream)[THREE].holed
    shelf.drop(ONE)
    assert set(kept(stream)) == {THREE}


def based(stream: Stream, server: str, *spots: str) -> None:
    """A run that left these base copies of a server in the repository, as it tells."""
    at, store = stream.kit.clock(), stream.kit.store
    run = Run(f"base-{stream.name}-{server}", Task.BASE, SET, "main", at, "srv", 1, None)
    store.open_run(run)
    told = {"member": stream.name, "repository": "main", "server": server, "spots": list(spots)}
    store.add_evidence(Evidence(run.id, at, "bases", told))


def test_without_a_base_copy_of_that_server_nothing_can_be_recovered(
    stream: Stream, tmp_path: Path
) -> None:
    (tmp_path / "log.000001").write_bytes(FIRST)
    (tmp_path / "log.000002").write_bytes(SECOND)
    based(stream, "another", "log.000001:60")
    shipper = shipped(stream)
    assert (shipper.shipped.based, shipper.shipped.recoverable) == (False, None)
    assert statuses(stream, shipper.shipped, held=None)["main"] == (Status.UNKNOWN, "no_base")
    based(stream, SERVER, "log.000002:60")
    shipper.turn(SERVER)  # the first counts at once
    assert str(shipper.shipped.recoverable) == f"log.000002:{len(SECOND)}"
    assert statuses(stream, shipper.shipped)["main"] == (Status.OK, "")


WHOLE = Kept(100, closed=True)
AT_ONE, AT_TWO, AT_THREE = (Spot(file, 50) for file in (ONE, TWO, THREE))
END = Spot(THREE, 80)


@pytest.mark.parametrize(
    ("files", "spots", "gap", "end"),
    [
        ({ONE: WHOLE, TWO: WHOLE, THREE: Kept(80)}, (), None, END),
        ({ONE: WHOLE, TWO: WHOLE, THREE: Kept(80)}, (AT_ONE, AT_TWO), None, END),
        ({ONE: WHOLE, THREE: Kept(80)}, (AT_ONE,), TWO, Spot(ONE, 100)),
        ({ONE: WHOLE, THREE: Kept(80)}, (AT_ONE, AT_THREE), TWO, END),
        ({ONE: WHOLE, THREE: Kept(40)}, (AT_ONE, AT_THREE), TWO, Spot(ONE, 100)),
        ({TWO: WHOLE, THREE: Kept(80)}, (AT_ONE,), ONE, None),
        ({ONE: WHOLE}, (AT_TWO,), None, None),  # its file is on its way
        ({}, (AT_ONE,), None, None),
    ],
)
def test_a_log_is_worth_what_base_copies_can_make_of_it(
    files: dict[LogFile, Kept], spots: tuple[Spot, ...], gap: LogFile | None, end: Spot | None
) -> None:
    found, reached = worth(files, spots)
    assert (found.gap, reached) == (gap, end)


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
RUNS = Reception(running=True, restarts=0, said="", free=5 << 30, since=NOW)
SEEN = Logged(SERVER, NOW, (ONE,), Spot(ONE, 100))


def statuses(
    stream: Stream,
    one: Shipped,
    *,
    held: timedelta | None = timedelta(),
    reception: Reception = RUNS,
    logged: Logged | None = SEEN,
) -> dict[str, tuple[Status, str]]:
    """What is told of the receiver and of the repository."""
    until = None if held is None else NOW - held
    look = Look(NOW, logged, "", reception, until, {"main": (one, until)})
    told = list(results(stream, look))
    return {r.subject.replace("@", "/").rpartition("/")[2]: (r.status, r.cause) for r in told}


GOOD = Shipped(NOW, Spot(ONE, 100))


@pytest.mark.parametrize(
    ("what", "here", "main"),
    [
        ({}, (Status.OK, ""), (Status.OK, "")),
        ({"logged": None}, (Status.UNKNOWN, "unreachable"), (Status.OK, "")),
        ({"held": None}, (Status.UNKNOWN, "not_known"), (Status.UNKNOWN, "not_known")),
        ({"held": timedelta(minutes=2)}, (Status.WARNING, "late"), (Status.WARNING, "late")),
        (
            {"reception": replace(RUNS, running=False)},
            (Status.CRITICAL, "not_received"),
            (Status.OK, ""),
        ),
        ({"reception": replace(RUNS, free=1 << 20)}, (Status.CRITICAL, "disk"), (Status.OK, "")),
    ],
)
def test_nothing_is_good_that_is_not_known(
    what: dict[str, object],
    here: tuple[Status, str],
    main: tuple[Status, str],
    shared: Stream,
) -> None:
    assert statuses(shared, GOOD, **what) == {"here": here, "main": main}  # type: ignore[arg-type]


def test_a_repository_that_does_not_take_it_is_told(shared: Stream) -> None:
    refused = Shipped(NOW, None, error="no room")
    assert statuses(shared, refused)["main"] == (Status.WARNING, "not_shipped")
