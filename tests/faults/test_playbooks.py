"""Each playbook meets its real fault, made by hand on real hosts: it mends it, or hands it over.

A fault is made, the check must say that it is there, the playbook answers, and the same check says
whether it is over. The time from fault to mended stands in the output of the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.model import CheckId
from opsd.response import Call, Ending
from tests.faults.acts import ACTS, played
from tests.faults.killing import OPSD
from tests.harms import (
    Harm,
    carry,
    crash,
    cut_main,
    drop,
    end,
    expire,
    fill,
    fill_with_data,
    kill,
    pause,
    revive,
    roads,
    skew,
    stop_database,
    stop_front,
    unmount,
    wrong_page,
)
from tests.hosts import program
from tests.incidents import timed
from tests.town import CACHE, Town, founded

pytestmark = pytest.mark.xdist_group("hosts")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with founded() as made:
        yield made
        print("\nseconds from fault to its end:", {k: round(v, 1) for k, v in made.spent.items()})


@dataclass(frozen=True)
class Fault:
    """A row: the fault, whose it is, how many people agree, how it ends, and how it is told."""

    name: str
    harm: Harm
    id: CheckId
    cause: str
    ending: Ending | None
    persons: int = 0
    heal: Harm | None = None
    attached: tuple[str, ...] = ()
    says: str = ""


MENDED = Ending.MENDED
FAULTS = (
    Fault(
        "disk_full",
        fill,
        CheckId("one", "filesystems", CACHE),
        "filesystem_full",
        MENDED,
        heal=unmount("one"),
    ),
    Fault(
        "disk_full of data",
        fill_with_data,
        CheckId("two", "filesystems", CACHE),
        "filesystem_full",
        None,
        says="playbook.disk_full.nothing",
    ),
    Fault("web_down", stop_front, CheckId("", "front"), "connect_refused", MENDED, heal=None),
    Fault(
        "web_down with a wrong page",
        wrong_page,
        CheckId("", "front"),
        "content_wrong",
        None,
        attached=("up", "room"),
        says="playbook.web_down.wrong",
    ),
    Fault(
        "database_down by a crash", crash, CheckId("", "db"), "connect_refused", MENDED, attached=()
    ),
    Fault(
        "database_down on purpose",
        stop_database,
        CheckId("", "db"),
        "connect_refused",
        None,
        attached=("log", "room", "ready"),
        says="playbook.database_down.stopped",
    ),
    Fault("replication_stuck", pause, CheckId("", "replica"), "replication_late", MENDED, 1),
    Fault("clock_skew", skew, CheckId("two", "clock"), "clock_off", MENDED),
    Fault(
        "certificate_expiring",
        expire,
        CheckId("one", "certificates", "{base}/front.pem"),
        "certificate_expires",
        MENDED,
        1,
    ),
    Fault(
        "link_down",
        cut_main,
        CheckId("", "wan"),
        "reply_none",
        MENDED,
        1,
        heal=carry,
    ),
    Fault(
        "host_unreachable with sshd stopped",
        drop,
        CheckId("two", "reach"),
        "timeout",
        None,
        heal=revive,
        attached=("way",),
        says="playbook.host_unreachable.open",
    ),
    Fault(
        "upstream_down",
        roads,
        CheckId("", "lgsp"),
        "connect_refused",
        None,
        attached=("evidence", "message.vi", "message.en"),
        says="playbook.upstream_down.theirs",
    ),
    Fault("host_unreachable without power", kill, CheckId("three", "reach"), "timeout", MENDED, 2),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_mended_or_handed_over(fault: Fault, town: Town) -> None:
    watch = timed()
    fault.harm(town)
    about = CheckId(fault.id.host, fault.id.check, fault.id.subject.format(base=town.base))
    made = watch.seconds
    incident = town.desk.open(about, fault.cause)
    seen = {page.id for page in town.desk.pages()}
    response = town.desk.answered(incident, fault.persons)
    told = town.desk.told(response) if response else ""
    town.spent[fault.name] = watch.seconds - made
    town.desk.means.responses.close_incident(incident.code, now())
    if fault.heal:
        fault.heal(town)
    assert (response.ending if response else None) is fault.ending, (told, town.desk.pages()[-1])
    calls = [page for page in town.desk.pages() if page.id not in seen]
    if fault.ending is None:
        (page,) = calls
        assert page.call is Call.HANDED_OVER
        assert page.said.key == fault.says, page
        assert set(fault.attached) <= set(page.attached), page.attached
    else:
        assert [page.call for page in calls] == [Call.APPROVAL] * bool(fault.persons)


def test_a_host_is_isolated_and_freed(town: Town) -> None:
    watch = timed()
    response = town.desk.by_hand("isolate_host", CheckId("two", ""), 2)
    town.spent["isolate_host"] = watch.seconds
    assert "policy drop" in town.on("two", "nft list table inet opsd_isolation"), town.desk.told(
        response
    )
    assert town.desk.means.reach.ask("two")(()) is not None
    town.on("two", "nft delete table inet opsd_isolation")


def test_who_can_wait_does(town: Town, tmp_path: Path) -> None:
    """The hosts share this machine's disks, which are not slow: what is done about it is seen."""
    shutil.copy2(os.path.realpath(program("shred")), town.base / "rsync")
    (tmp_path / "much").write_bytes(bytes(8 << 20))
    town.begin("two", f"{town.base}/rsync", "-n", "100000", f"{tmp_path}/much")
    watch = timed()
    incident, _ = town.desk.raised(CheckId("two", "disk_latency"))
    opened = town.desk.begun(replace(incident, cause="io_pressure"))
    try:
        response = town.desk.answered(opened)
        assert response is not None, town.desk.pages()[-1]
        assert response.ending is Ending.MENDED, town.desk.told(response)
        (step,) = response.plan.steps
        assert "idle" in town.on("two", f"ionice -p {step.argv[-1]}")
        town.spent["disk_slow"] = watch.seconds
    finally:
        end(town, "two", f"{town.base}/rsync")
        town.desk.means.responses.close_incident(opened.code, now())


def test_a_step_in_whose_middle_opsd_dies_is_settled(town: Town) -> None:
    """The short form of `tests/soak/test_killed_playbooks.py`, which strikes everywhere."""
    (act,) = (one for one in ACTS if one.playbook == "web_down")
    wrong, count = played(town, act, lambda at: (at.moment, at.victim) == ("within", OPSD))
    assert (wrong, count) == ([], 1)
