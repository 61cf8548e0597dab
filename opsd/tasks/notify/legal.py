"""Warnings ahead of the deadlines that a law sets; opsd itself tells nobody outside."""

from __future__ import annotations

from datetime import datetime

from opsd.config.schema import Config
from opsd.model import Finding, Severity
from opsd.people import Deadline, Entry, EntryKind, Urgency
from opsd.policy import records
from opsd.store import Notices, Post
from opsd.tasks.notify import addresses


def look(notices: Notices, config: Config, now: datetime) -> int:
    """Queue the warnings that are due."""
    entries = notices.entries()
    codes = {one.incident for one in entries if one.kind is EntryKind.CLASS}
    return sum(
        _warn(notices, config, code, one, now)
        for code in sorted(codes)
        for one in running(notices, config, code, [e for e in entries if e.incident == code])
    )


def running(
    notices: Notices, config: Config, code: str, entries: list[Entry]
) -> tuple[Deadline, ...]:
    """The deadlines of an incident."""
    incident = notices.incident(code)
    if incident is None:
        return ()
    clocks = [one.clock for one in config.incidents.legal_notices]
    decided = records.classified(entries)
    return tuple(records.deadlines(clocks, incident, entries, decided, config.zone))


def _warn(notices: Notices, config: Config, code: str, one: Deadline, now: datetime) -> bool:
    """The gravest warning that is due stands for those before it."""
    begin = f"clock:{code}:{one.clock.name}:"
    keys, told = [f"{begin}{part}" for part in records.passed(one, now)], notices.told(begin)
    if not keys or keys[-1] in told:
        return False
    fields = {
        "code": code,
        "name": one.clock.name,
        "recipient": one.clock.recipient,
        "source": one.clock.source,
        "due": one.due,
        "left": max(one.due - now, now - now),
    }
    late = now >= one.due
    said = Finding(Severity.FAULT, "notice.deadline_over" if late else "notice.deadline", fields)
    to = [address for step in addresses.steps(config, now) for address in step]
    post = Post(keys[-1], now, Urgency.PAGE, said, code)
    return notices.queue(post, to, [key for key in keys[:-1] if key not in told])
