"""Playbooks of backups, each with its real fault; each time a site of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from opsd.model import CheckId
from tests.faults.killing import Point, Theatre, points, proposed, struck, theatre
from tests.faults.telling import copied
from tests.faults.test_playbooks_of_backups import (
    answering_site,
    flipped,
    full,
    interrupted,
    locked,
    newest,
    scrambled,
)
from tests.hosts import NamespaceHost
from tests.incidents import answering
from tests.site import SET, Site

SUBJECT = CheckId("", "backup", SET)


@dataclass(frozen=True, slots=True)
class ActOfBackup:
    """A playbook, its fault, what it is about."""

    playbook: str
    harm: Callable[[Site], AbstractContextManager[None] | None]
    about: Callable[[Site], CheckId]
    cause: str


def played_of_backup(
    safe: Site, act: ActOfBackup, some: Callable[[Point], bool] = lambda _: True
) -> tuple[list[str], int]:
    """Strike an act at every point, or at some; gives what was wrong, and how many there were."""
    wrong: list[str] = []
    left: list[Point] | None = None
    count = 0
    while left is None or left:
        with stage(safe, act) as (place, site):
            response = proposed(place, act.playbook, act.about(site), act.cause)
            if left is None:
                left = [one for one in points(response.plan) if some(one)]
            wrong += struck(place, response, left.pop(0))
            count += 1
    return wrong, count


@contextmanager
def stage(safe: Site, act: ActOfBackup) -> Iterator[tuple[Theatre, Site]]:
    """A site that was harmed, and what answers there."""
    with (
        copied(safe) as site,
        act.harm(site) or nullcontext(),
        answering(answering_site(site)) as desk,
    ):
        yield theatre(site.base / "answering.yaml", desk.means, nobody), site


def nobody(name: str) -> NamespaceHost:
    """No host takes part."""
    raise LookupError(name)


def a_member(site: Site) -> CheckId:
    member = next(m.member for m in newest(site) if m.kind.value == "files")
    return CheckId("", "", f"{SET}/{member}")


def nothing(site: Site) -> None:
    """No fault: a person wants it."""
    del site


ACTS_OF_BACKUPS = (
    ActOfBackup("backup_failed", interrupted, lambda _: SUBJECT, "backup"),
    ActOfBackup("stale_lock", locked, lambda _: SUBJECT, "backup"),
    ActOfBackup("repository_damaged", flipped, lambda _: SUBJECT, "proof"),
    ActOfBackup("repository_full", full, lambda _: CheckId("", "repository", "main"), "room_low"),
    ActOfBackup("mass_change", scrambled, lambda _: SUBJECT, "data"),
    ActOfBackup("restore_member", nothing, a_member, ""),
)
