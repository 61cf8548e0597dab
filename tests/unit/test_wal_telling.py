"""What a guard saw, as statuses and causes: never good where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opsd.catalogue import Size
from opsd.drivers.postgres.replication import Sender, ServerSeen, Slot, Weak
from opsd.model import CheckResult, Status
from opsd.policy import protection
from opsd.policy.parting import Parted
from opsd.tasks.wal.aside import Aside, aside, set_aside
from opsd.tasks.wal.clearing import clear
from opsd.tasks.wal.guard import Look
from opsd.tasks.wal.leaving import Left
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.receiving import Reception
from opsd.tasks.wal.room import Room
from opsd.tasks.wal.shipping import Shipped
from opsd.tasks.wal.telling import results
from opsd.wal import Exposure, Gap

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
NAMES = ("opsd_one", "opsd_two")
SEEN = ServerSeen(
    at=NOON,
    system="1",
    version=150000,
    segment_bytes=16 << 20,
    recovering=False,
    timeline=1,
    flushed=1000,
    names="ANY 1 (opsd_one, opsd_two)",
    waiting=0,
    senders=tuple(Sender(name, "streaming", "quorum", 1000) for name in NAMES),
    slots=tuple(Slot(name, True, 0, "reserved") for name in NAMES),
    commit="on",
)
RUNS = Reception(running=True, restarts=0, said="", free=5 << 30, since=NOON)
GOOD = Look(
    at=NOON,
    seen=SEEN,
    error="",
    receptions={"one": RUNS, "two": RUNS},
    shipped={"main": Shipped(NOON, 1, 1000)},
    held_by_receivers={"one": NOON, "two": NOON},
    held_by_repositories={"main": NOON},
    exposure=None,
    short_for=timedelta(),
    still={"one": timedelta(), "two": timedelta()},
)
WEAK = (Weak("fsync", "off"), Weak("synchronous_commit", "local", "ROLE loader"))
EXPOSURE = Exposure("1", "dossiers", "database", NOON, 500)
PARTED = {
    "receiver one": Parted(1, 500, 900, 600),
    "repository main": Parted(1, 400, 800, 600),
    "server": Parted(1, 400, 800, 600),
}
GAP = Gap(1, 100, 200, NOON, NOON)
ALONE = replace(SEEN, senders=SEEN.senders[:1])
NOBODY = replace(SEEN, senders=())
LOW = Room("/pg_wal", 1000)
TIGHT = replace(LOW, free=3 << 29)
KEEPS = tuple(Slot(name, True, 500 << 20, "extended") for name in NAMES)
HIDDEN = replace(SEEN, commit="", hidden="no way in")


def the_log(wait_for: int = 1) -> Log:
    wal = SimpleNamespace(
        receivers={"one": None, "two": None},
        here={"one": None, "two": None},
        role="opsd_wal",
        application=lambda name: f"opsd_{name}",
        slot=lambda name: f"opsd_{name}",
        min_free=Size(1 << 30),
        slot_limit=Size(1 << 30),
        ship_every=timedelta(seconds=5),
        wait_for=wait_for,
    )
    log = SimpleNamespace(
        subject="dossiers/database",
        backup_set="dossiers",
        name="database",
        applications=NAMES,
        repositories=("main",),
        waits_for=lambda names: protection.waits_for(names, NAMES, wait_for),
        wal=wal,
    )
    return cast("Log", log)


def told(look: Look, wait_for: int = 1) -> dict[str, CheckResult]:
    found = results(the_log(wait_for), look)
    return {result.subject.removeprefix("dossiers/database"): result for result in found}


def test_when_all_is_well_every_subject_is_good() -> None:
    assert {subject: r.status for subject, r in told(GOOD).items()} == {
        "": Status.OK,
        "/one": Status.OK,
        "/two": Status.OK,
        "@main": Status.OK,
    }


@pytest.mark.parametrize(
    ("change", "subject", "status", "cause"),
    [
        ({"seen": None, "error": "no route"}, "", Status.UNKNOWN, "unreachable"),
        ({"seen": None}, "/one", Status.UNKNOWN, "unreachable"),
        ({"seen": NOBODY}, "", Status.CRITICAL, "no_receiver"),
        ({"seen": NOBODY, "parted": PARTED}, "", Status.CRITICAL, "went_back"),
        ({"seen": NOBODY, "parted": PARTED}, "/one", Status.CRITICAL, "went_back"),
        ({"seen": NOBODY, "parted": PARTED}, "/two", Status.WARNING, "receiver_down"),
        ({"parted": PARTED}, "@main", Status.CRITICAL, "went_back"),
        ({"seen": ALONE}, "", Status.WARNING, "one_left"),
        ({"seen": ALONE}, "/two", Status.WARNING, "receiver_down"),
        ({"still": {"two": timedelta(seconds=6)}}, "/two", Status.WARNING, "receiver_hung"),
        ({"seen": replace(SEEN, names="")}, "", Status.WARNING, "unprotected"),
        ({"seen": replace(SEEN, weak=WEAK)}, "", Status.CRITICAL, "weakened"),
        ({"seen": replace(SEEN, weak=WEAK, names="")}, "", Status.CRITICAL, "weakened"),
        ({"seen": replace(NOBODY, weak=WEAK)}, "", Status.CRITICAL, "no_receiver"),
        ({"seen": replace(SEEN, weak=WEAK, recovering=True)}, "", Status.WARNING, "standby"),
        ({"seen": HIDDEN}, "", Status.UNKNOWN, "hidden"),
        ({"seen": replace(HIDDEN, names="")}, "", Status.UNKNOWN, "hidden"),
        ({"seen": replace(HIDDEN, weak=WEAK)}, "", Status.CRITICAL, "weakened"),
        ({"seen": replace(SEEN, recovering=True)}, "", Status.WARNING, "standby"),
        (
            {"exposure": EXPOSURE, "seen": NOBODY},
            "",
            Status.CRITICAL,
            "exposed",
        ),
        (
            {"receptions": {"one": replace(RUNS, free=1)}},
            "/one",
            Status.CRITICAL,
            "disk",
        ),
        (
            {"seen": replace(SEEN, slots=(Slot("opsd_one", False, None, "lost"),))},
            "/one",
            Status.CRITICAL,
            "slot_lost",
        ),
        (
            {"seen": replace(SEEN, slots=(Slot("opsd_one", True, 800 << 20, "extended"),))},
            "/one",
            Status.WARNING,
            "slot_large",
        ),
        ({"room": LOW}, "", Status.CRITICAL, "server_disk"),
        ({"room": LOW, "seen": NOBODY}, "", Status.CRITICAL, "server_disk"),
        ({"room": LOW, "exposure": EXPOSURE}, "", Status.CRITICAL, "server_disk"),
        ({"room": TIGHT}, "", Status.WARNING, "server_room"),
        ({"room": TIGHT, "seen": ALONE}, "", Status.WARNING, "server_room"),
        (
            {"room": TIGHT, "seen": replace(SEEN, slot_limit=2 << 30)},
            "",
            Status.WARNING,
            "server_room",
        ),
        ({"room": TIGHT, "seen": replace(SEEN, slot_limit=1 << 29)}, "", Status.OK, ""),
        (
            {
                "room": replace(TIGHT, free=(2 << 30) - (500 << 20)),
                "seen": replace(SEEN, slots=KEEPS),
            },
            "",
            Status.OK,
            "",
        ),
        ({"shipped": {}}, "@main", Status.UNKNOWN, "not_known"),
        ({"held_by_repositories": {"main": None}}, "@main", Status.UNKNOWN, "not_known"),
        (
            {
                "held_by_repositories": {"main": None},
                "shipped": {"main": Shipped(NOON, 1, 9, based=False)},
            },
            "@main",
            Status.UNKNOWN,
            "no_base",
        ),
        ({"shipped": {"main": Shipped(NOON, 1, 9, (GAP,))}}, "@main", Status.CRITICAL, "gap"),
        (
            {"shipped": {"main": Shipped(NOON, 1, 9, refused=("x: torn",))}},
            "@main",
            Status.CRITICAL,
            "refused",
        ),
        (
            {"shipped": {"main": Shipped(NOON, 1, 9, error="full")}},
            "@main",
            Status.WARNING,
            "not_shipped",
        ),
        (
            {"held_by_repositories": {"main": NOON - timedelta(minutes=2)}},
            "@main",
            Status.WARNING,
            "behind",
        ),
    ],
)
def test_what_is_wrong_has_its_cause(
    change: dict[str, Any], subject: str, status: Status, cause: str
) -> None:
    found = told(replace(GOOD, **change))[subject]
    assert (found.status, found.cause) == (status, cause)


BOTH = replace(SEEN, names="ANY 2 (opsd_one, opsd_two)")


@pytest.mark.parametrize(
    ("change", "status", "cause"),
    [
        ({"seen": BOTH}, Status.OK, ""),
        ({"seen": SEEN}, Status.WARNING, "unprotected"),
        ({"seen": replace(BOTH, senders=ALONE.senders)}, Status.CRITICAL, "too_few"),
        ({"seen": replace(BOTH, senders=())}, Status.CRITICAL, "no_receiver"),
        ({"seen": ALONE, "exposure": EXPOSURE}, Status.WARNING, "fewer"),
        ({"seen": replace(HIDDEN, names=BOTH.names)}, Status.UNKNOWN, "hidden"),
        ({"seen": BOTH, "exposure": EXPOSURE}, Status.WARNING, "fewer"),
        ({"seen": replace(ALONE, weak=WEAK), "exposure": EXPOSURE}, Status.CRITICAL, "weakened"),
        ({"seen": NOBODY, "exposure": EXPOSURE}, Status.CRITICAL, "no_receiver"),
        ({"seen": replace(NOBODY, names=""), "exposure": EXPOSURE}, Status.CRITICAL, "exposed"),
        ({"seen": replace(SEEN, names="*"), "exposure": EXPOSURE}, Status.CRITICAL, "exposed"),
    ],
)
def test_what_is_wrong_where_commits_wait_for_two(
    change: dict[str, Any], status: Status, cause: str
) -> None:
    found = told(replace(GOOD, **change), wait_for=2)[""]
    assert (found.status, found.cause) == (status, cause)


def test_what_only_one_of_two_has_is_measured() -> None:
    first, second = SEEN.senders
    seen = replace(SEEN, senders=(first, replace(second, flushed=900)))
    found = told(replace(GOOD, exposure=EXPOSURE, seen=seen), wait_for=2)[""]
    assert {m.metric: m.value for m in found.measurements}["opsd_wal_exposed_bytes"] == 100
    assert found.fields["count"] == 1


def test_what_makes_commits_less_safe_is_named_and_is_no_protection() -> None:
    weakened = told(replace(GOOD, seen=replace(SEEN, weak=WEAK)))[""]
    assert weakened.fields["settings"] == ["fsync = off", "ROLE loader: synchronous_commit = local"]
    assert {m.metric: m.value for m in weakened.measurements}["opsd_wal_synchronous"] == 0
    assert {m.metric: m.value for m in told(GOOD)[""].measurements}["opsd_wal_synchronous"] == 1


@pytest.mark.parametrize(
    ("seen", "figure"),
    [
        (HIDDEN, None),
        (replace(HIDDEN, senders=()), None),
        (replace(HIDDEN, names=""), 0),
        (replace(HIDDEN, weak=WEAK), 0),
    ],
)
def test_a_server_whose_commits_are_not_known_is_not_said_to_be_protected(
    seen: ServerSeen, figure: float | None
) -> None:
    found = {m.metric: m.value for m in told(replace(GOOD, seen=seen))[""].measurements}
    assert found.get("opsd_wal_synchronous") == figure


def test_what_may_be_lost_is_measured_and_what_is_unknown_has_no_figure() -> None:
    exposed = told(replace(GOOD, exposure=EXPOSURE, seen=NOBODY))[""]
    assert {m.metric: m.value for m in exposed.measurements}["opsd_wal_exposed_bytes"] == 500
    assert not told(replace(GOOD, seen=None))[""].measurements
    unknown = told(replace(GOOD, held_by_repositories={"main": None}, seen=None))["@main"]
    assert not any("held" in one.metric for one in unknown.measurements)


def test_the_room_under_the_server_is_measured_where_it_is_known() -> None:
    metric = "opsd_wal_server_free_bytes"
    assert metric not in {one.metric for one in told(GOOD)[""].measurements}
    found = told(replace(GOOD, room=TIGHT, seen=replace(SEEN, slots=KEEPS[:1])))[""]
    assert {m.metric: m.value for m in found.measurements}[metric] == TIGHT.free
    assert (found.fields["kept"], found.fields["more"]) == (Size(500 << 20), Size(524 << 20))


def test_a_server_that_went_back_is_told_with_where_and_whether_commits_wait() -> None:
    parted = told(replace(GOOD, parted=PARTED))[""]
    assert parted.key == "wal.went_back"
    assert [parted.fields[name] for name in ("begin", "end", "server")] == [
        "0/190",
        "0/320",
        "0/258",
    ]
    alone = replace(SEEN, names="")
    exposed = told(replace(GOOD, parted=PARTED, exposure=EXPOSURE, seen=alone))[""]
    assert (exposed.key, exposed.cause) == ("wal.went_back_exposed", "went_back")


def test_what_lies_aside_is_told_and_is_a_warning_only_where_the_disk_is_short_of_it() -> None:
    aside = replace(RUNS, aside=Aside(2, 48 << 20))
    well = told(replace(GOOD, receptions={"one": aside, "two": RUNS}))
    assert (well["/one"].status, well["/one"].key) == (Status.OK, "wal.receives_aside")
    assert (well["/one"].fields["times"], well["/one"].fields["aside"]) == (2, Size(48 << 20))
    assert (well["/two"].status, well["/two"].key) == (Status.OK, "wal.receives")
    metric = "opsd_wal_receiver_aside_bytes"
    figures = {name: {m.metric: m.value for m in well[name].measurements} for name in well}
    assert (figures["/one"][metric], figures["/two"][metric]) == (48 << 20, 0)
    full = told(replace(GOOD, receptions={"one": replace(aside, free=1), "two": RUNS}))["/one"]
    assert (full.status, full.key, full.cause) == (Status.CRITICAL, "wal.disk_aside", "disk")
    bare = told(replace(GOOD, receptions={"one": replace(RUNS, free=1), "two": RUNS}))["/one"]
    assert bare.key == "wal.disk"


def test_what_the_server_left_behind_is_told_until_it_is_moved() -> None:
    metric = "opsd_wal_receiver_left_bytes"
    left = Left(1, 0x5000100, 0x6000000, 2, 3, (Path("/wal/one/aside-1"),))
    aside = replace(RUNS, aside=Aside(1, 32 << 20))
    look = replace(GOOD, receptions={"one": aside, "two": RUNS}, left={"one": left, "two": None})
    found = told(look)
    assert (found["/one"].status, found["/one"].key) == (Status.WARNING, "wal.left_behind")
    assert found["/one"].cause == "left_behind"
    assert found["/one"].fields["begin"] == "0/5000100"
    assert found["/one"].fields["bytes"] == Size(0xFFFF00)
    assert found["/two"].key == "wal.receives"
    figures = {name: {m.metric: m.value for m in found[name].measurements} for name in found}
    assert (figures["/one"][metric], figures["/two"][metric]) == (0xFFFF00, 0)
    assert metric not in {m.metric for m in told(GOOD)["/one"].measurements}  # it has not begun
    down = told(replace(look, seen=NOBODY))["/one"]
    assert (down.cause, down.key) == ("receiver_down", "wal.receiver_down")


def test_what_was_set_aside_is_counted(tmp_path: Path) -> None:
    assert aside(tmp_path) == Aside()
    names = ("000000010000000000000003", "000000010000000000000004.partial")
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 100)
    set_aside(tmp_path, [], NOON)
    assert aside(tmp_path) == Aside()
    set_aside(tmp_path, [tmp_path / name for name in names], NOON)
    (tmp_path / names[0]).write_bytes(b"x" * 100)
    set_aside(tmp_path, [tmp_path / names[0]], NOON + timedelta(minutes=1))
    assert aside(tmp_path) == Aside(2, 300)


def test_settings_that_would_hang_or_harm_are_cleared_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "postgresql.auto.conf").write_text(
        "# Do not edit\nsynchronous_standby_names = 'ANY 1 (a)'\nshared_buffers = '1GB'\n"
        "recovery_target_time = '2026'\n"
    )
    (tmp_path / "standby.signal").touch()
    (tmp_path / "postmaster.pid").touch()
    clear(tmp_path, 15)
    left = (tmp_path / "postgresql.auto.conf").read_text().splitlines()
    assert left[:2] == ["# Do not edit", "shared_buffers = '1GB'"]
    assert {"archive_command = ''", "archive_mode = 'off'"} <= set(left[2:])
    assert not any("ANY 1" in line or "2026" in line for line in left)
    assert not list(tmp_path.glob("*.signal"))
    assert not (tmp_path / "postmaster.pid").exists()
