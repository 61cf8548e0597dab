"""What the guard saw, as results for the watch: statuses, causes and measurements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from opsd.catalogue import Size
from opsd.drivers.postgres.replication import ServerSeen, Weak
from opsd.model import CheckResult, Measurement, Status
from opsd.policy import protection
from opsd.policy.retaining import Retaining, retaining
from opsd.tasks.wal.guard import Look
from opsd.tasks.wal.histories import placed
from opsd.tasks.wal.leaving import Left
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.receiving import Reception
from opsd.tasks.wal.room import Room
from opsd.wal import written

CHECK = "wal"
_STILL = timedelta(seconds=5)  # a receiver that has taken nothing for so long hangs
_BEHIND = timedelta(minutes=1)  # a repository that is further behind is worth a look


def results(log: Log, look: Look) -> Iterator[CheckResult]:
    """One result for the server, one for each receiver, one for each repository."""
    yield _of_server(log, look)
    for name in log.wal.receivers:
        yield _of_receiver(log, look, name)
    for name in log.repositories:
        yield _of_repository(log, look, name)


def _of_server(log: Log, look: Look) -> CheckResult:
    seen, subject = look.seen, log.subject
    if seen is None:
        return CheckResult(
            Status.UNKNOWN, "wal.unreachable", {}, look.error, "unreachable", subject
        )
    live, wanted = len(seen.live(log.applications)), log.wal.wait_for
    waits_for = log.waits_for(seen.names)
    fields: dict[str, object] = {
        "live": live,
        "all": len(log.applications),
        "wanted": wanted,
        "names": seen.names or "-",
        "count": waits_for or 0,
        "waiting": seen.waiting,
        "span": look.short_for,
        "settings": list(map(_weak, seen.weak)),
        "role": log.wal.role,
    }
    parted = look.parted.get("server")
    if parted is not None:
        fields |= placed(parted)
    if look.exposure is not None:
        fields |= {
            "since": look.exposure.began,
            "lsn": written(look.exposure.begin),
            "bytes": Size(_exposed(log, look)),
        }
    status, cause = _worst_of_server(log, look, seen, live, waits_for)
    labels = {"backup_set": log.backup_set, "member": log.name}
    figures = [
        Measurement("opsd_wal_waiting_commits", seen.waiting, labels),
        Measurement("opsd_wal_exposed_bytes", _exposed(log, look), labels),
    ]
    protected = waits_for == wanted and not seen.weak and not seen.recovering
    if not (protected and seen.hidden):
        figures.append(Measurement("opsd_wal_synchronous", float(protected), labels))
    if look.room is not None:
        figures.append(Measurement("opsd_wal_server_free_bytes", look.room.free, labels))
        under = _retaining(log, seen, look.room)
        fields |= {"free": Size(under.free), "kept": Size(under.kept), "more": Size(under.more)}
        fields["place"] = look.room.place
    key, detail = f"wal.{cause or 'protected'}", seen.hidden if cause == "hidden" else ""
    if parted is not None and look.exposure is not None and not waits_for:
        key = "wal.went_back_exposed"
    return CheckResult(status, key, fields, detail, cause, subject, tuple(figures))


def _worst_of_server(
    log: Log, look: Look, seen: ServerSeen, live: int, waits_for: int | None
) -> tuple[Status, str]:
    """The first that applies, from the worst."""
    fallen, some = look.exposure is not None, waits_for is not None and waits_for > 0
    under = _retaining(log, seen, look.room) if look.room else None
    ladder = (
        ("server" in look.parted, Status.CRITICAL, "went_back"),
        (under is not None and under.is_full, Status.CRITICAL, "server_disk"),
        (fallen and not (some and log.wal.wait_for > 1), Status.CRITICAL, "exposed"),
        (seen.recovering, Status.WARNING, "standby"),
        (not live, Status.CRITICAL, "no_receiver"),
        (live < (waits_for or 0), Status.CRITICAL, "too_few"),
        (bool(seen.weak), Status.CRITICAL, "weakened"),
        (bool(seen.hidden), Status.UNKNOWN, "hidden"),
        (fallen, Status.WARNING, "fewer"),
        (waits_for != log.wal.wait_for, Status.WARNING, "unprotected"),
        (under is not None and not under.fits, Status.WARNING, "server_room"),
        (live < len(log.applications), Status.WARNING, "one_left"),
    )
    return next(((s, c) for applies, s, c in ladder if applies), (Status.OK, ""))


def _retaining(log: Log, seen: ServerSeen, room: Room) -> Retaining:
    """Slots beside the room under them. Where the server sets them no limit, as it should be."""
    kept = [slot.retained for slot in seen.slots]
    limit = log.wal.slot_limit if seen.slot_limit is None else seen.slot_limit
    return retaining(kept, limit, room.free, log.wal.min_free)


def _weak(one: Weak) -> str:
    told = f"{one.setting} = {one.value}"
    return f"{one.where}: {told}" if one.where else told


def _exposed(log: Log, look: Look) -> int:
    """Bytes of the log that fewer receivers have than commits should wait for."""
    if look.exposure is None or look.seen is None:
        return 0
    flushed = [one.flushed for one in look.seen.live(log.applications) if one.flushed]
    safe = protection.safe_with(flushed, log.wal.wait_for)
    return max(look.seen.flushed - (look.exposure.begin if safe is None else safe), 0)


def _of_receiver(log: Log, look: Look, name: str) -> CheckResult:
    seen, reception = look.seen, look.receptions.get(name)
    sender = seen.sender(log.wal.application(name)) if seen else None
    slot = seen.slot(log.wal.slot(name)) if seen else None
    labels = {"backup_set": log.backup_set, "member": log.name, "receiver": name}
    figures = [Measurement("opsd_wal_receiver_up", float(sender is not None), labels)]
    if seen is None:
        figures = []
    elif sender is not None and sender.flushed is not None:
        lag = max(seen.flushed - sender.flushed, 0)
        figures.append(Measurement("opsd_wal_receiver_lag_bytes", lag, labels))
    if slot is not None and slot.retained is not None:
        figures.append(Measurement("opsd_wal_slot_retained_bytes", slot.retained, labels))
    if reception is not None:
        figures.append(Measurement("opsd_wal_receiver_restarts_total", reception.restarts, labels))
        figures.append(Measurement("opsd_wal_receiver_free_bytes", reception.free, labels))
        figures.append(Measurement("opsd_wal_receiver_aside_bytes", reception.aside.bytes, labels))
    left = look.left.get(name)
    if name in look.left:
        lacking = left.bytes if left else 0
        figures.append(Measurement("opsd_wal_receiver_left_bytes", lacking, labels))
    figures += until(
        "opsd_wal_receiver_held_timestamp_seconds", look.held_by_receivers[name], labels
    )
    retained = slot.retained if slot and slot.retained else 0
    parted = look.parted.get(f"receiver {name}")
    status, cause = _worst_of_receiver(log, look, name, retained)
    fields: dict[str, object] = {
        "receiver": name,
        "free": Size(reception.free if reception else 0),
        "retained": Size(retained),
        "limit": log.wal.slot_limit,
        **(placed(parted) if parted else {}),
    }
    said = _said(reception) if cause in {"receiver_down", "disk"} else ""
    key = f"wal.{cause}" if cause else "wal.receives"
    if reception is not None and reception.aside.times and cause in {"", "disk"}:
        fields |= {"times": reception.aside.times, "aside": Size(reception.aside.bytes)}
        key += "_aside"
    if left is not None and cause == "left_behind":
        fields |= _lacked(left)
    subject = f"{log.subject}/{name}"
    return CheckResult(status, key, fields, said, cause, subject, tuple(figures))


def _lacked(left: Left) -> dict[str, object]:
    """What the server lacks since it went to another timeline, and where it lies."""
    return {
        "to": left.to,
        "timeline": left.timeline,
        "begin": written(left.begin),
        "end": written(left.end),
        "bytes": Size(left.bytes),
        "commits": left.commits,
        "places": list(left.places),
    }


def _worst_of_receiver(log: Log, look: Look, name: str, retained: int) -> tuple[Status, str]:
    """The first that applies, from the worst."""
    seen, reception = look.seen, look.receptions.get(name)
    slot = seen.slot(log.wal.slot(name)) if seen else None
    if reception is not None and reception.free < log.wal.min_free:
        return Status.CRITICAL, "disk"
    if slot is not None and slot.status == "lost":
        return Status.CRITICAL, "slot_lost"
    if f"receiver {name}" in look.parted:
        return Status.CRITICAL, "went_back"
    if seen is None:
        return Status.UNKNOWN, "unreachable"
    sender = seen.sender(log.wal.application(name))
    if sender is None:
        return Status.WARNING, "receiver_down"
    if sender.state is None:
        return Status.UNKNOWN, "unseen"
    if look.still.get(name, timedelta()) > _STILL:
        return Status.WARNING, "receiver_hung"
    if retained > log.wal.slot_limit / 2:
        return Status.WARNING, "slot_large"
    if look.left.get(name) is not None:
        return Status.WARNING, "left_behind"
    return Status.OK, ""


def _of_repository(log: Log, look: Look, name: str) -> CheckResult:
    shipped, held = look.shipped.get(name), look.held_by_repositories.get(name)
    labels = {"backup_set": log.backup_set, "member": log.name, "repository": name}
    figures = until("opsd_wal_repository_held_timestamp_seconds", held, labels)
    subject = f"{log.subject}@{name}"
    fields: dict[str, object] = {"repository": name, "at": held or "-"}
    if shipped is None or (shipped.at is None and not shipped.error):
        return CheckResult(Status.UNKNOWN, "wal.not_known", fields, "", "not_known", subject)
    figures.append(Measurement("opsd_wal_repository_gaps", len(shipped.gaps), labels))
    if look.seen is not None and shipped.end:
        lag = max(look.seen.flushed - shipped.end, 0)
        figures.append(Measurement("opsd_wal_repository_lag_bytes", lag, labels))
    figures += expected(look.forecasts.get(name), labels)
    detail, status, cause = "", Status.OK, ""
    parted = look.parted.get(f"repository {name}")
    if parted is not None:
        status, cause = Status.CRITICAL, "went_back"
        fields |= placed(parted)
    elif shipped.gaps:
        gap = shipped.gaps[0]
        status, cause = Status.CRITICAL, "gap"
        fields |= {
            "count": len(shipped.gaps),
            "begin": written(gap.begin),
            "end": written(gap.end),
            "since": gap.since,
            "until": gap.until,
        }
    elif shipped.refused:
        status, cause, detail = Status.CRITICAL, "refused", "\n".join(shipped.refused[:3])
    elif shipped.error:
        status, cause, detail = Status.WARNING, "not_shipped", shipped.error
    elif held is None:
        status, cause = Status.UNKNOWN, "not_known" if shipped.based else "no_base"
    elif look.at - held > max(_BEHIND, 4 * log.wal.ship_every):
        status, cause = Status.WARNING, "behind"
    key = f"wal.{cause}" if cause else "wal.kept"
    return CheckResult(status, key, fields, detail, cause, subject, tuple(figures))


def until(metric: str, at: datetime | None, labels: dict[str, str]) -> list[Measurement]:
    """When it is not known, nothing is told: never zero."""
    return [] if at is None else [Measurement(metric, at.timestamp(), labels)]


def expected(span: timedelta | None, labels: dict[str, str]) -> list[Measurement]:
    """How long a recovery to now would take; nothing where it is not known."""
    metric = "opsd_wal_recovery_predicted_duration_seconds"
    return [] if span is None else [Measurement(metric, span.total_seconds(), labels)]


def _said(reception: Reception | None) -> str:
    return reception.said if reception else ""
