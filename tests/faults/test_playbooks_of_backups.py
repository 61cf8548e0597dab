"""Playbooks of backups meet their real fault: a real repository, a real database, real restic."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsd.clock import Clock, now
from opsd.keeping import Cause, Word
from opsd.model import CheckId, MemberSnapshot, Task
from opsd.response import Call, Ending
from opsd.tasks import status
from opsd.tasks.backup import back_up
from opsd.tasks.check import rooms
from opsd.tasks.kit import Kit
from tests.disks import loop
from tests.faults.telling import attempt, copy_tree
from tests.faults.test_locks import killed, locks
from tests.incidents import Desk, answering, timed
from tests.season import DAY, begun, judged
from tests.site import SET, Site

AUTOMATION = """
automation: {{enabled: true, approvers: [nguyenvana, tranthib]}}
playbooks:
  backup_failed: {{judged_within: 5s}}
  stale_lock: {{judged_within: 5s}}
  repository_damaged: {{judged_within: 5s}}
  repository_full: {{judged_within: 5s}}
  mass_change: {{judged_within: 1s}}
  restore_member: {{target: {base}/restored}}
"""


def answering_site(site: Site) -> Path:
    """The configuration of a site whose incidents are answered."""
    text = site.config_file.read_text() + AUTOMATION.format(base=site.base)
    path = site.base / "answering.yaml"
    path.write_text(text)
    return path


@contextmanager
def desk(site: Site, clock: Clock = now) -> Iterator[Desk]:
    with answering(answering_site(site), clock=clock) as made:
        yield made


def interrupted(site: Site) -> None:
    """Opsd dies in the middle of a backup: the last run is one that never ended."""
    pid = os.fork()
    if pid == 0:
        with site.kit() as kit:
            dying = Kit(kit.config, kit.store, kit.clock, kit.stop, Dying())
            back_up(dying, SET)
        os._exit(0)
    os.waitpid(pid, 0)


class Dying:
    """A watcher at which opsd dies when files are read."""

    def phase(self, name: str, subject: str = "") -> None:
        if name not in {"queue", "preflight"}:
            os._exit(9)

    def advance(self, done: int, total: int) -> None:
        """Nothing."""

    def beside(self) -> Dying:
        return self


def locked(site: Site) -> None:
    killed(site)
    assert attempt(site, Task.BACKUP).closing.reason == "locked"


def flipped(site: Site) -> None:
    """One byte of the largest pack is another one; the next proof says so."""
    packs = [path for path in (site.repository / "data").rglob("*") if path.is_file()]
    largest = max(packs, key=lambda path: path.stat().st_size)
    largest.chmod(0o600)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.write_bytes(content)
    assert attempt(site, Task.PROVE).closing.reason == "integrity"


@contextmanager
def full(site: Site) -> Iterator[None]:
    """The repository lies on a disk of its own that fills up; what no rule keeps is half of it."""
    with loop(site.base, "192m") as disk:
        copy_tree(site.repository, disk.point / "repository")
        site.changes |= {
            f"url: {site.base}/repository": f"url: {disk.point}/repository",
            "    rto: 4h\n": "    rto: 4h\n    retention: {min_age: 1s, min_points: 1}\n",
            "min_free: 1MiB": "min_free: 8MiB",
        }
        passing = site.base / "scans" / "passing.bin"
        passing.write_bytes(os.urandom(24 << 20))
        assert attempt(site, Task.BACKUP).closing.outcome.good
        passing.unlink()
        assert attempt(site, Task.BACKUP).closing.outcome.good
        assert attempt(site, Task.PROVE).closing.outcome.good
        with site.kit() as kit:
            if found := kit.store.freezes(SET):
                kit.store.thaw(found, Word(now(), "An", "looked at it"))
        free = rooms.room(disk.point).free
        with (disk.point / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free - (6 << 20))
        yield


def scrambled(site: Site) -> None:
    """Everything was written anew, as noise, and backed up."""
    for path in files(site.base / "scans"):
        path.write_bytes(os.urandom(max(64, path.stat().st_size)))
    attempt(site, Task.BACKUP)


@dataclass(frozen=True)
class Fault:
    """A row: what was done, the cause that the check names, how many agree."""

    name: str
    harm: Callable[[Site], None]
    cause: str
    playbook: str
    persons: int = 0


FAULTS = (
    Fault("a backup that died", interrupted, "backup", "backup_failed"),
    Fault("a lock of a dead process", locked, "backup", "stale_lock", 1),
    Fault("a damaged pack", flipped, "proof", "repository_damaged", 2),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_backup_is_mended_by_its_own_playbook(fault: Fault, ward: Site) -> None:
    fault.harm(ward)
    watch = timed()
    with desk(ward) as made:
        incident = made.open(CheckId("", "backup", SET), fault.cause)
        response = made.answered(incident, fault.persons)
        assert response is not None, made.pages()
        assert response.playbook == fault.playbook
        assert response.ending is Ending.MENDED, made.told(response)
    print(f"\n{fault.name}: mended in {watch.seconds:.1f} s")


def test_a_full_repository_is_relieved_of_what_no_rule_keeps(ward: Site) -> None:
    with full(ward):
        watch = timed()
        with desk(ward) as made:
            response = made.answered(made.open(CheckId("", "repository", "main"), "room_low"), 1)
            assert response is not None, made.pages()
            assert response.playbook == "repository_full"
            assert response.ending is Ending.MENDED, made.told(response)
    print(f"\na full repository: relieved in {watch.seconds:.1f} s")


def test_an_overdue_backup_is_taken_and_proved() -> None:
    """Opsd was down for two nights: nothing failed, and the newest point is too old."""
    with begun() as season:
        with season.kit() as kit:
            judged(kit, season.night(kit))
        season.passed += 2 * DAY
        path = season.base / "opsd.yaml"
        path.write_text(path.read_text() + AUTOMATION.format(base=season.base))
        watch = timed()
        with answering(path, clock=season.clock) as made:
            response = made.answered(made.open(CheckId("", "backup", SET), "proved"))
            assert response is not None, made.pages()
            assert response.plan.diagnosis[0].key == "playbook.backup_failed.overdue"
            assert [step.id for step in response.plan.steps] == ["back_up", "prove"]
            assert response.ending is Ending.MENDED, made.told(response)
        print(f"\nan overdue backup: taken and proved in {watch.seconds:.1f} s")


def test_a_lock_of_another_host_is_told_and_stays(ward: Site) -> None:
    killed(ward, "elsewhere")
    attempt(ward, Task.BACKUP)
    before = locks(ward)
    with desk(ward) as made:
        made.answered(made.open(CheckId("", "backup", SET), "backup"))
        (page,) = made.pages()
    assert (page.call, page.said.key) == (Call.HANDED_OVER, "playbook.stale_lock.alive")
    assert "elsewhere" in page.attached["locks"]
    assert locks(ward) == before


def test_when_everything_was_written_anew_good_copies_are_protected_first(ward: Site) -> None:
    with ward.kit() as kit:
        calm = next(one.point for one in status.standings(kit, SET) if one.proved_at)
    scrambled(ward)
    watch = timed()
    with desk(ward) as made:
        response = made.answered(made.open(CheckId("", "backup", SET), "data"))
        assert response is not None
        assert response.ending is Ending.NOT_MENDED, made.told(response)
        steps = [one.intent.step for one in made.means.responses.attempts(response.id)]
        assert steps == ["freeze_retention", "hold_point"]
        (page,) = made.pages()
        assert page.call is Call.FAILED
    with ward.kit() as kit:
        assert {one.cause for one in kit.store.freezes(SET)} == {Cause.ANOMALY}
        assert any(hold.covers(calm.id) for hold in kit.store.holds(SET))
    print(f"\nmass change: protected in {watch.seconds:.1f} s")


def test_a_member_is_restored_beside_the_living_one_by_two_persons(ward: Site) -> None:
    members = [m.member for m in newest(ward) if m.kind.value == "files"]
    watch = timed()
    with desk(ward) as made:
        response = made.by_hand("restore_member", CheckId("", "", f"{SET}/{members[0]}"), 2)
        assert response.ending is Ending.MENDED, made.told(response)
    (place,) = (ward.base / "restored").iterdir()
    assert sum(1 for _ in files(place)) > 10
    print(f"\nrestore of a member: {watch.seconds:.1f} s")


def newest(site: Site) -> tuple[MemberSnapshot, ...]:
    with site.kit() as kit:
        point = kit.store.newest_point(SET)
        assert point is not None
        return point.members


def files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file())
