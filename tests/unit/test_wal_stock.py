"""Which of several places a segment that is still being written is taken from."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from opsd.drivers.pgwal import Stopped
from opsd.errors import Cancelled, OpsdError, RepositoryDamaged, TimedOut
from opsd.tasks.wal.archive import Archive
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.shipping import Shipper
from opsd.tasks.wal.stock import Stock, stock
from opsd.wal import PARTIAL, Covered, Holdings, Segment
from tests.segments import NOON

SIZE = 1 << 20
PAGE = 8192
SYSTEM = 7713261651204568805
SEGMENT = Segment(1, 5)
START = SEGMENT.start(SIZE)
NAME = SEGMENT.name(SIZE)

# What pg_waldump finds: None (it is full of records), where it stops, or an error of its own.
Said = Stopped | OpsdError | None


def pages(length: int, mark: int) -> bytes:
    """The beginning of the segment, each page in its place and filled with a mark."""
    content = bytearray()
    for at in range(0, length, PAGE):
        header = struct.pack("=HHIQI4x", 0xD110, 0 if at else 2, 1, START + at, 0)
        long = b"" if at else struct.pack("=QII", SYSTEM, SIZE, PAGE)
        content += (header + long).ljust(PAGE, bytes([mark]))
    return bytes(content[:length])


def clean(length: int) -> Stopped:
    return Stopped(START + length - 100, START + length)


def torn(last: int) -> Stopped:
    return Stopped(START + last, None)


class Programs:
    """Says of each place what the test wants, by the mark of its pages."""

    def __init__(self, said: dict[int, Said]) -> None:
        self.said = said
        self.asked: list[int] = []

    def _of(self, path: Path) -> Said:
        mark = path.read_bytes()[100]
        self.asked.append(mark)
        said = self.said[mark]
        if isinstance(said, OpsdError):
            raise said
        return said

    def stops(self, path: Path) -> Stopped | None:
        found = self._of(path)
        assert not isinstance(found, OpsdError)
        return found

    def readable(self, path: Path) -> str:
        return "damaged" if self._of(path) else ""


def taken(base: Path, *places: tuple[int, Said], whole: int | None = None) -> tuple[int, list[int]]:
    """Of which place a segment is, the first is 1, and whom pg_waldump was asked about.

    A place is how long it is, and what is said of it.
    """
    programs = Programs({mark: said for mark, (_, said) in enumerate(places, 1)})
    log = cast("Log", SimpleNamespace(programs=lambda _: programs))
    stock = Stock(log, str(SYSTEM), SIZE)
    for mark, (length, _) in enumerate(places, 1):
        place = base / str(mark)
        place.mkdir(parents=True)
        name = NAME if mark == whole else NAME + PARTIAL
        (place / name).write_bytes(pages(length, mark).ljust(SIZE, b"\0"))
        covered = Covered(length, NOON, whole=mark == whole)
        stock.add(Holdings({SEGMENT: covered}, {}), place)
    target = base / "target"
    target.mkdir()
    stock.fetch([SEGMENT], target)
    content = (target / NAME).read_bytes()
    mark = content[100]
    assert content == pages(places[mark - 1][0], mark).ljust(SIZE, b"\0")
    return mark, programs.asked


LONG, SHORT = 90_000, 70_000


@pytest.mark.parametrize(
    ("places", "best"),
    [
        (((SHORT, clean(SHORT)), (LONG, torn(LONG - 200))), 2),
        (((SHORT, None), (LONG, torn(LONG - 200))), 2),
        (((SHORT, clean(SHORT)), (LONG, torn(SHORT - 200))), 1),
        (((LONG, torn(400)), (LONG, torn(LONG - 200))), 2),
        (((LONG, torn(400)), (LONG, clean(LONG))), 2),
        (((LONG, Stopped(START + 400, START + 500)), (SHORT, torn(SHORT - 200))), 2),
        (((LONG, torn(SHORT)), (SHORT, clean(SHORT))), 1),
        (((LONG, torn(400)), (LONG, torn(400))), 1),
        (((LONG, TimedOut("x")), (SHORT, torn(400))), 2),
        (((LONG, TimedOut("x")), (SHORT, TimedOut("x"))), 1),
    ],
    ids=[
        "the longer one ends within a record",
        "the shorter one is full of records",
        "the longer one is damaged before the shorter one ends",
        "one of two is damaged, the other ends within a record",
        "one of two is damaged, the other ends cleanly",
        "a damaged length that reads as none",
        "both to the same record, of which only the longer one has all",
        "two that are alike",
        "of one nobody can tell",
        "of none anybody can tell",
    ],
)
def test_what_leads_on_the_farthest_is_taken(
    places: tuple[tuple[int, Said], ...], best: int, tmp_path: Path
) -> None:
    assert taken(tmp_path, *places)[0] == best


def test_a_whole_good_one_is_taken_at_once(tmp_path: Path) -> None:
    assert taken(tmp_path, (SHORT, clean(SHORT)), (SIZE, None), whole=2) == (2, [2])


def test_behind_a_clean_end_nobody_is_asked_who_has_less(tmp_path: Path) -> None:
    assert taken(tmp_path, (SHORT, clean(SHORT)), (LONG, clean(LONG))) == (2, [2])


def test_a_damaged_whole_one_gives_way_to_what_can_be_read(tmp_path: Path) -> None:
    assert taken(tmp_path, (SHORT, torn(400)), (SIZE, torn(0)), whole=2)[0] == 1


def test_what_was_ended_on_purpose_chooses_nothing(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        taken(tmp_path, (LONG, Cancelled("x")), (SHORT, clean(SHORT)))


def test_one_that_is_good_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryDamaged, match=NAME):
        taken(tmp_path, (SIZE, torn(0)), whole=1)


GOOD = b"1\t0/3000060\tno recovery target specified\n"
NAMED = b'1\t0/3000060\tat restore point "\xe9t\xe9"\n'  # in the encoding of its database


@pytest.mark.parametrize(
    ("content", "taken_in"),
    [
        (GOOD, True),
        (NAMED, True),
        (b"\xff" + GOOD, False),
        (b"1\xfe" + GOOD[1:], False),
        (GOOD.replace(b"60", b"\xfe0"), False),
        (b"\xff" * 41, False),
    ],
    ids=["good", "another encoding", "before", "the timeline", "the position", "all"],
)
def test_a_history_that_is_no_text_ends_nothing_and_takes_no_good_ones_place(
    content: bytes, tmp_path: Path, *, taken_in: bool
) -> None:
    (tmp_path / "00000002.history").write_bytes(content)
    found = stock(cast("Log", None), str(SYSTEM), SIZE, {}, [tmp_path])
    assert found.held.switches == ({2: (1, 0x3000060)} if taken_in else {})
    assert set(found._histories) == ({"00000002.history"} if taken_in else set())

    kept: list[str] = []
    archive = SimpleNamespace(keep_history=lambda name, _: kept.append(name))
    Shipper(cast("Log", None), "main")._histories(cast("Archive", archive), tmp_path)
    assert kept == (["00000002.history"] if taken_in else [])
