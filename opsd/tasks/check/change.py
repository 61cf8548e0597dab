"""What opsd asks itself besides: did much more change than ever before?"""

from __future__ import annotations

from opsd.model import CheckResult, RecoveryPoint, Status
from opsd.policy.upheaval import Upheaval, judge
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit

CHANGE = "change"


def changes(kit: Kit) -> Answers:
    """The newest point of each set against those before it."""
    results = tuple(_result(name, kit.store.points(name)) for name in kit.config.backup_sets)
    return Answers("", CHANGE, kit.clock(), results)


def _result(name: str, points: tuple[RecoveryPoint, ...]) -> CheckResult:
    if not points:
        return CheckResult(Status.UNKNOWN, "check.change_none", {"set": name}, subject=name)
    told = upheavals(points)[0]
    if told is None:
        return CheckResult(Status.OK, "check.change_calm", {"set": name}, subject=name)
    return CheckResult(
        Status.CRITICAL,
        f"check.change_{told.word}",
        {"set": name, "member": told.member, "percent": round(100 * told.share)},
        cause=told.word,
        subject=name,
    )


def upheavals(points: tuple[RecoveryPoint, ...]) -> tuple[Upheaval | None, ...]:
    """For each point, newest first, what happened to it against those before it."""
    return tuple(judge(point, points[n + 1 :]) for n, point in enumerate(points))
