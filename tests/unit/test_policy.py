"""Judgement: facts in, findings out, each kind seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.errors import ClockWrong, OpsdError, SpaceExhausted, ToolFailed
from opsd.manifest import (
    APPEARED,
    CHANGED,
    DIRECTORY,
    FILE,
    LINK,
    UNREADABLE,
    VANISHED,
    Entry,
    Named,
)
from opsd.model import DatabaseManifest, MemberKind, MemberSnapshot, Sequence, Severity, Table
from opsd.policy import change, comparison, preflight
from opsd.policy.comparison import Reconciler, TreeComparison
from opsd.policy.preflight import Booted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCAN = Entry(b"a.pdf", FILE, 10, 0o644, 1, 1, 500, 500, 7, 0, b"", "", "aa")


# --- trees


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        (None, "missing"),
        (SCAN._replace(sha256="bb"), "content"),
        (SCAN._replace(size=11), "content"),
        (SCAN._replace(mtime=501), "mtime"),
        (SCAN._replace(mode=0o600), "mode"),
        (SCAN._replace(uid=2), "owner"),
        (SCAN._replace(gid=2), "owner"),
        (SCAN._replace(xattrs="cc"), "xattrs"),
        (SCAN._replace(kind=LINK), "kind"),
        (SCAN._replace(target=b"x"), "target"),
    ],
)
def test_each_difference_of_a_file_is_seen(actual: Entry | None, kind: str) -> None:
    judged = TreeComparison(as_root=True)
    judged.take(SCAN, actual)
    assert judged.tally.counts == {kind: 1}
    assert judged.tally.names == {kind: ["a.pdf"]}


def test_what_is_the_same_is_counted_and_not_told() -> None:
    judged = TreeComparison(as_root=True)
    judged.take(SCAN, SCAN._replace(inode=99, ctime=99))
    assert (judged.tally.counts, judged.files, judged.bytes) == ({}, 1, 10)


def test_an_extra_file_is_told_unless_it_came_during_the_backup() -> None:
    judged = TreeComparison(as_root=True, fresh_after=600)
    judged.take(None, SCAN)
    judged.take(None, SCAN._replace(mtime=600))
    assert judged.tally.counts == {"extra": 1}
    assert judged.fleeting.counts == {"fleeting": 1}


def test_hard_links_stay_one_file() -> None:
    one, two = SCAN._replace(links=7), SCAN._replace(path=b"b.pdf", links=7)
    judged = TreeComparison(as_root=True)
    judged.take(one, one._replace(inode=70))
    judged.take(two, two._replace(inode=70))
    assert judged.tally.counts == {}
    judged.take(two, two._replace(inode=71))
    assert judged.tally.counts == {"links": 1}


@pytest.mark.parametrize("state", [VANISHED, APPEARED, UNREADABLE])
def test_what_was_not_taken_is_not_missed(state: str) -> None:
    judged = TreeComparison(as_root=True)
    judged.take(SCAN._replace(state=state), None)
    judged.take(SCAN._replace(state=state), SCAN._replace(sha256="other"))
    assert judged.tally.counts == {}


def test_what_changed_while_it_was_read_must_be_there_in_some_form() -> None:
    judged = TreeComparison(as_root=True)
    judged.take(SCAN._replace(state=CHANGED), SCAN._replace(sha256="b", mode=0, kind=LINK))
    assert judged.tally.counts == {}
    judged.take(SCAN._replace(state=CHANGED), None)
    assert judged.tally.counts == {"missing": 1}


@pytest.mark.parametrize(
    ("steady", "unsteady", "severity"),
    [(0, 21, "FAULT"), (30, 31, "FAULT"), (1, 20, "CHANGE"), (30, 30, "CHANGE"), (100, 1, "NOTE")],
)
def test_what_changed_while_it_was_read_is_not_counted_as_compared(
    steady: int, unsteady: int, severity: str
) -> None:
    judged = TreeComparison(as_root=True)
    for _ in range(steady):
        judged.take(SCAN, SCAN)
    for _ in range(unsteady):
        judged.take(SCAN._replace(state=CHANGED), SCAN._replace(sha256="b"))
    assert (judged.files, judged.bytes) == (steady, steady * SCAN.size)
    assert judged.unsteady.counts == {"unsteady": unsteady}
    assert judged.unsteadiness.name == severity


def test_owners_are_judged_only_for_root_and_times_not_of_directories() -> None:
    judged = TreeComparison(as_root=False)
    judged.take(SCAN, SCAN._replace(uid=2))
    place = SCAN._replace(path=b"d/", kind=DIRECTORY, sha256="")
    judged.take(place, place._replace(mtime=9))
    assert judged.tally.counts == {}


def test_a_tally_counts_all_and_names_some() -> None:
    judged = TreeComparison(as_root=True)
    for number in range(25):
        judged.take(SCAN._replace(path=b"%02d" % number), None)
    (found,) = judged.tally.findings("proof.files", "scans")
    assert found.fields["count"] == 25
    assert found.fields["names"] == [f"{n:02d}" for n in range(comparison.NAMED)]


# --- rows and files


@pytest.mark.parametrize(
    ("row", "entry", "told"),
    [
        ((b"a.pdf", 10, "aa"), SCAN, {}),
        ((b"a.pdf", None, "aa"), SCAN, {}),
        ((b"a.pdf", 11, "aa"), SCAN, {"content": 1}),
        ((b"a.pdf", 10, "bb"), SCAN, {"content": 1}),
        ((b"a.pdf", 10, "bb"), SCAN._replace(mtime=9999), {"content": 1}),
        ((b"a.pdf", 10, "aa"), None, {"missing": 1}),
        ((b"a.pdf", 10, "aa"), SCAN._replace(kind=LINK), {"missing": 1}),
        ((b"a.pdf", 10, "aa"), SCAN._replace(state=VANISHED), {"missing": 1}),
    ],
)
def test_a_row_and_its_file(
    row: tuple[bytes, int | None, str], entry: Entry | None, told: dict[str, int]
) -> None:
    judged = Reconciler(fresh_after=1000)
    judged.take(Named(*row), entry)
    assert (judged.tally.counts, judged.newer.counts, judged.rows) == (told, {}, 1)


def test_a_file_touched_after_the_snapshot_is_newer_not_wrong() -> None:
    judged = Reconciler(fresh_after=1000)
    judged.take(Named(b"a.pdf", 10, "bb"), SCAN._replace(ctime=1000))
    judged.take(Named(b"a.pdf", 10, "bb"), SCAN._replace(state=CHANGED))
    assert (judged.tally.counts, judged.newer.counts) == ({}, {"newer": 2})


def test_rows_that_do_not_fit_are_told_with_their_code_and_two_rows_may_name_one_file() -> None:
    odd: list[tuple[str, Named]] = []
    judged = Reconciler(fresh_after=1000, odd=odd.append)
    again, lost = Named(b"a.pdf", 11, "aa", "H-2"), Named(b"b.pdf", 10, "bb", "H-3")
    judged.join((Named(b"a.pdf", 10, "aa", "H-1"), again, lost), (SCAN,))
    assert odd == [("content", again), ("missing", lost)]
    assert judged.tally.names == {"content": ["H-2: a.pdf"], "missing": ["H-3: b.pdf"]}


def test_orphans_are_told_unless_they_are_fresh() -> None:
    judged = Reconciler(fresh_after=1000)
    for entry in (
        SCAN,
        SCAN._replace(mtime=5000),
        SCAN._replace(ctime=1000),
        SCAN._replace(state=APPEARED),
        SCAN._replace(state=VANISHED),
        SCAN._replace(kind=DIRECTORY),
    ):
        judged.take(None, entry)
    assert (judged.orphans, judged.fresh_orphans) == (2, 2)


# --- tables


def database(*tables: Table, **more: object) -> DatabaseManifest:
    fields: dict[str, object] = {
        "database": "d",
        "server_version": 150000,
        "system_identifier": "1",
        "encoding": "UTF8",
        "at": NOW,
        "bytes": 1,
        "tables": tables,
        "sequences": (),
        "extensions": (),
        "roles": (),
        "large_objects": 0,
        "large_objects_digest": "e",
    }
    return DatabaseManifest(**{**fields, **more})  # type: ignore[arg-type]


def table(name: str, rows: int, digest: str = "d") -> Table:
    return Table("public", name, ("a",), rows, digest)


@pytest.mark.parametrize(
    ("restored", "key"),
    [
        ({}, "proof.table_missing"),
        ({("public", "t"): (4, "d")}, "proof.rows_differ"),
        ({("public", "t"): (5, "x")}, "proof.digest_differs"),
        ({("public", "t"): (5, "d"), ("public", "u"): (0, "")}, "proof.table_extra"),
    ],
)
def test_each_difference_of_a_table_is_seen(
    restored: dict[tuple[str, str], tuple[int, str]], key: str
) -> None:
    found = comparison.judge_tables(database(table("t", 5)), restored)
    assert [(f.key, f.severity) for f in found] == [(key, Severity.FAULT)]


def test_a_database_without_tables_proves_nothing() -> None:
    assert [f.key for f in comparison.judge_tables(database(), {})] == ["proof.no_tables"]


@pytest.mark.parametrize("first", [3, 7])
@pytest.mark.parametrize(("value", "good"), [(2, False), (3, True), (7, True), (8, False)])
def test_a_sequence_stands_between_what_it_was_and_became(
    first: int, value: int, good: bool
) -> None:
    span = Sequence("public", "s", first, 10 - first)
    found = comparison.judge_sequences(database(sequences=(span,)), {("public", "s"): value})
    assert (not found) is good


def test_a_sequence_that_is_gone_is_told() -> None:
    span = Sequence("public", "s", 1, 1)
    assert comparison.judge_sequences(database(sequences=(span,)), {})


def test_large_objects_and_names() -> None:
    assert not comparison.judge_large_objects(database(), 0, "e")
    assert comparison.judge_large_objects(database(), 1, "e")
    assert comparison.judge_large_objects(database(), 0, "x")
    (found,) = comparison.judge_named("roles", ("b", "a", "c"), ("c", "more"))
    assert (found.key, found.fields["names"]) == ("proof.roles_missing", ["a", "b"])


# --- changes


def test_what_a_person_should_look_at() -> None:
    before = database(table("emptied", 1), table("gone", 9), table("less", 100), table("few", 19))
    now = database(table("emptied", 0), table("less", 79), table("few", 1), table("new", 5))
    found = change.judge_tables(before, now)
    assert {f.key: f.fields["table"] for f in found} == {
        "change.table_emptied": "public.emptied",
        "change.table_gone": "public.gone",
        "change.table_shrunk": "public.less",
    }
    assert {f.severity for f in found} == {Severity.CHANGE}
    assert not change.judge_tables(now, now)
    assert not change.judge_tables(database(table("less", 100)), database(table("less", 80)))


@pytest.mark.parametrize(("before", "now", "told"), [(100, 79, 1), (100, 80, 0), (19, 0, 0)])
def test_a_tree_that_lost_many_files(before: int, now: int, told: int) -> None:
    one, two = (
        MemberSnapshot("scans", MemberKind.FILES, "s", "/", n, 1, 0, 0, timedelta())
        for n in (before, now)
    )
    assert len(change.judge_tree(one, two)) == told


# --- before a run


def clock(**facts: object) -> list[str]:
    given: dict[str, object] = {
        "max_offset": timedelta(seconds=60),
        "synchronised": True,
        "sync_required": True,
    }
    return clock_keys(preflight.judge_clock(preflight.ClockFacts(**{**given, **facts})))  # type: ignore[arg-type]


def behind(newest: datetime) -> list[str]:
    return clock_keys(preflight.judge_newest(newest, NOW, timedelta(seconds=60)))


def clock_keys(against: tuple[OpsdError, ...]) -> list[str]:
    assert all(isinstance(error, ClockWrong) for error in against)
    return [error.key for error in against]


@pytest.mark.parametrize(("seconds", "wrong"), [(60, False), (-60, False), (61, True), (-61, True)])
def test_a_clock_beside_another(seconds: int, wrong: bool) -> None:
    found = clock(offsets={"database": timedelta(seconds=seconds)})
    assert found == (["clock.differs"] if wrong else [])


@pytest.mark.parametrize(
    ("seconds", "boot", "synchronised", "wrong"),
    [
        (60, "one", False, False),
        (61, "one", False, True),
        (-61, "one", None, True),
        (3600, "another", False, False),
        (3600, "one", True, False),
    ],
    ids=["a little", "ahead", "back", "restarted", "a time server answers for it"],
)
def test_a_clock_that_somebody_set(
    seconds: int, boot: str, synchronised: bool | None, wrong: bool
) -> None:
    facts = {"sync_required": False, "synchronised": synchronised}
    now = Booted("one", NOW + timedelta(seconds=seconds))
    found = clock(**facts, booted=now, before=Booted(boot, NOW))
    assert found == (["clock.moved"] if wrong else [])
    assert clock(**facts, booted=now) == []


def test_a_clock_behind_what_was_stored() -> None:
    assert behind(NOW + timedelta(seconds=60)) == []
    assert behind(NOW + timedelta(seconds=61)) == ["clock.behind"]


@pytest.mark.parametrize("required", [True, False])
def test_a_clock_that_nobody_keeps(required: bool) -> None:
    assert bool(clock(synchronised=False, sync_required=required)) is required
    assert clock(synchronised=True, sync_required=required) == []


@pytest.mark.parametrize(("free", "told"), [(149, True), (150, False)])
def test_room_is_what_is_needed_and_what_is_spared(free: int, told: bool) -> None:
    against = preflight.judge_room(preflight.Room(Path("/"), free, needed=100, spare=50))
    assert [type(error) for error in against] == ([SpaceExhausted] if told else [])


def test_restic_must_be_new_enough() -> None:
    assert not preflight.judge_restic((0, 17, 0), (0, 17, 0))
    (old,) = preflight.judge_restic((0, 16, 5), (0, 17, 0))
    assert isinstance(old, ToolFailed)


def test_a_dump_leaves_room_for_others() -> None:
    assert preflight.spare_room(40 << 20) == 2 << 20
    assert preflight.spare_room(10 << 40) == 1 << 30


def test_growth_is_expected_with_a_floor() -> None:
    floor = 64 << 20
    assert preflight.expected_growth(10, []) == floor
    assert preflight.expected_growth(1 << 40, []) == 1 << 40
    assert preflight.expected_growth(10 << 40, [10 << 40]) == 1 << 40
    assert preflight.expected_growth(1 << 40, [1, 1 << 30, 1 << 40]) == 2 << 30
    assert preflight.expected_growth(1 << 40, [1, 1, 1]) == floor
