"""Locks that somebody left: those of our dead go by themselves, no other is ever touched."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from opsd.errors import StorageFailed
from opsd.model import Outcome, Run, Task
from opsd.tasks.kit import new_run_id
from opsd.tasks.retain import retain
from opsd.tasks.sweep import sweep
from tests.faults.stopped import stopped_check
from tests.faults.telling import all_is_well, attempt
from tests.site import SET, Site

BACKUP, PROVE = Task.BACKUP, Task.PROVE


def locks(site: Site) -> list[str]:
    return [found.name for found in (site.repository / "locks").iterdir()]


def killed_in_a_run(site: Site) -> None:
    """A run of opsd dies together with its restic, which held the repository for itself."""
    with site.kit() as kit:
        at = kit.clock()
        dead = Run(new_run_id(at), BACKUP, SET, "main", at, kit.config.host, 999_999_999)
        kit.store.open_run(dead)
        killed(site)
        assert sweep(kit) == (dead,)  # as the daemon does when it begins


def killed(site: Site, host: str = "") -> None:
    """A restic that a person ran dies."""
    with stopped_check(site, host) as restic:
        os.kill(restic, signal.SIGKILL)


def unreadable(site: Site) -> None:
    (site.repository / "locks" / ("ab" * 32)).write_text("junk")


def empty(site: Site) -> None:
    (site.repository / "locks" / ("ab" * 32)).touch()


@dataclass(frozen=True)
class Left:
    """A row: what was left, and how the next backup ends, told by which sentence."""

    name: str
    leave: Callable[[Site], None]
    reason: str
    told: str = ""
    stays: int = 1


LEFT = (
    Left("by a dead run of ours", killed_in_a_run, "", stays=0),
    Left("by a person's restic that died", killed, "locked", "lock.unknown"),
    Left(
        "by a restic of another host",
        lambda site: killed(site, "elsewhere"),
        "locked",
        "lock.foreign",
    ),
    Left("unreadable", unreadable, "lock_unreadable", "lock.unreadable"),
    Left("empty, as restic passes over it", empty, ""),
)


@pytest.mark.parametrize("left", LEFT, ids=lambda left: left.name)
def test_a_lock_that_was_left(left: Left, ward: Site) -> None:
    left.leave(ward)
    before = set(locks(ward))
    told = attempt(ward, BACKUP)
    assert told.outcome is (Outcome.FAILED if left.reason else Outcome.SUCCEEDED), told.text
    assert told.closing.reason == left.reason, told.text
    if left.told:
        assert left.told in told.keys, told.text
    assert len(locks(ward)) == left.stays
    assert set(locks(ward)) <= before
    if left.stays:
        (ward.repository / "locks" / locks(ward)[0]).unlink()  # as a person does in the end
    all_is_well(ward)


def test_what_was_removed_is_evidence(ward: Site) -> None:
    killed_in_a_run(ward)
    (name,) = locks(ward)
    told = attempt(ward, PROVE)
    assert told.outcome.good, told.text
    with ward.kit() as kit:
        removed = kit.store.evidence(told.run.id, "unlocked")
        assert removed is not None
        assert [lock["id"] for lock in removed["locks"]] == [name]
        assert removed["locks"][0]["exclusive"] is True
        waited = kit.store.evidence(told.run.id, "waited")
        assert waited is not None
        assert "queue" in (kit.store.evidence(told.run.id, "phases") or {})


def test_a_foreign_lock_beside_ours_stays(ward: Site) -> None:
    """Restic's unlock would take an old foreign one; this one is fresh, so ours may go."""
    killed_in_a_run(ward)
    ours = set(locks(ward))
    name = next(iter(ours))
    aside = ward.base / "aside"
    (ward.repository / "locks" / name).rename(aside)
    killed(ward, "elsewhere")
    (foreign,) = locks(ward)
    aside.rename(ward.repository / "locks" / name)
    told = attempt(ward, BACKUP)
    assert told.closing.reason == "locked", told.text
    assert "lock.foreign" in told.keys
    assert "@elsewhere" in told.text
    assert locks(ward) == [foreign]


# restic, but prune dies as soon as it has its lock
SLAYER = """\
#!/bin/sh
case "$*" in *" prune "*) ;; *) exec restic "$@";; esac
restic "$@" & restic=$!
until ls {locks} | grep -q '^[0-9a-f]\\{{64\\}}$'; do kill -0 $restic || exit 99; done
kill -9 $restic; wait $restic
"""


def test_restic_killed_in_the_middle_of_pruning_is_healed_by_the_next_night(ward: Site) -> None:
    """Its lock is exclusive: nothing would work any more until somebody removed it."""
    ward.changes["    rto: 4h\n"] = "    rto: 4h\n    retention: {min_age: 1s, min_points: 1}\n"
    all_is_well(ward)
    slayer = ward.base / "slayer"
    slayer.write_text(SLAYER.format(locks=ward.repository / "locks"))
    slayer.chmod(0o755)
    with ward.kit() as kit:
        config = kit.config.model_copy(update={"restic": str(slayer)})
        with pytest.raises(StorageFailed):
            retain(replace(kit, config=config), SET)
        assert len(locks(ward)) == 1
        assert len(kit.store.points(SET)) == 1
        assert kit.store.pruned_up_to("main") == 0
    all_is_well(ward)
    assert locks(ward) == []
    with ward.kit() as kit:
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert kit.store.pruned_up_to("main") == kit.store.last_drop("main") > 2
