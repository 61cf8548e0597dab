"""A restore for people: what was asked, planned and done, and fetching, for every kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from opsd.config.schema import Member
from opsd.drivers import restic
from opsd.drivers.process import Stop
from opsd.model import Finding, MemberKind, MemberSnapshot, RecoveryPoint, Severity
from opsd.tasks.kit import Nobody, Watcher

LIMIT = timedelta(days=7)
_UNVERIFIED = {"restore.record_unread", "restore.not_compared"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. The last two are the words that lift a guard.

    In `manifests` a manifest of each tree is left, as it was restored.
    """

    backup_set: str
    target: Path
    at: datetime | None = None
    point: str | None = None
    member: str | None = None
    only: tuple[str, ...] = ()
    load_into: str | None = None  # libpq connection string of an empty database
    passfile: Path | None = None
    manifests: Path | None = None
    over_live_source: bool = False
    into_used_target: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """The repository to restore from, and who watches."""

    repository: restic.Restic
    host: str  # this machine's name in snapshots, to know a live source
    watcher: Watcher = field(default_factory=Nobody)
    stop: Stop = field(default_factory=Stop)
    jobs: int = 2
    scratch: Path | None = None  # where what a crash leaves is wiped by the next run
    members: Mapping[str, Member] = field(default_factory=dict)  # as configured, where they are


@dataclass(frozen=True, slots=True)
class Step:
    """One member and where it goes."""

    member: MemberSnapshot
    target: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, before it is."""

    request: Request
    point: RecoveryPoint
    steps: tuple[Step, ...]
    bytes: int
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Restored:
    """What was done: figures of what was written and verified, and what was wrong with it."""

    plan: Plan
    elapsed: timedelta = timedelta()
    files: int = 0
    bytes: int = 0
    tables: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)  # paths of `only` that some member has

    @property
    def good(self) -> bool:
        """Whether all that was written is what the manifest says."""
        return not any(f.severity is Severity.FAULT for f in self.findings)

    @property
    def unverified(self) -> bool:
        """Whether nothing was found wrong, but something could not be compared."""
        faults = {f.key for f in self.findings if f.severity is Severity.FAULT}
        return bool(faults) and faults <= _UNVERIFIED


def fetch(door: Door, step: Step, only: Path | None, done: Restored) -> None:
    """Bring a member's snapshot, or the paths `only` of it, to its target."""
    door.watcher.phase("fetch", step.member.member)
    # A dump is everybody's data in one place: it is for whoever asked for it alone.
    mode = 0o777 if step.member.kind is MemberKind.FILES else 0o700
    step.target.mkdir(mode, parents=True, exist_ok=True)
    fetched = door.repository.restore(
        restic.Piece(step.member.snapshot, step.member.root, step.target, only),
        limits=restic.Limits(LIMIT),
        on_progress=lambda p: door.watcher.advance(p.bytes_done, p.bytes_total),
    )
    if fetched.failures:
        done.findings.append(
            Finding(
                Severity.FAULT,
                "restore.unread",
                {"member": step.member.member, "count": len(fetched.failures)},
                "\n".join(fetched.failures[:10]),
            )
        )
