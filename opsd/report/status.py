"""The status of a backup set for people: is its data safe, and what says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from opsd.keeping import Covered
from opsd.model import Finding, RecoveryPoint, Run, Severity, Status
from opsd.policy.freshness import LastRun, Retained, SetFacts, SetVerdict
from opsd.report import keeping, layout, text
from opsd.report.voice import Voice


def of_set(voice: Voice, title: str, facts: SetFacts, verdict: SetVerdict, due: datetime) -> str:
    """Everything about a set; what is not good has a mark in front."""
    status = voice.word("status", verdict.status.word)
    rows = [*_rows(voice, facts, verdict), (Status.OK, "label.next", voice.moment(due))]
    rows += [(Status.OK, "label.running", _under_way(voice, run)) for run in facts.running]
    names = max(layout.width(voice.say(key)) for _, key, _ in rows)
    lines = [
        layout.hang(f"{layout.MARKS[mark]} {layout.pad(voice.say(key), names)}  ", said)
        for mark, key, said in rows
    ]
    return text.joined(
        "\n".join((voice.say("status.title", name=title, status=status), *lines)),
        text.findings(voice, _worth_telling(facts)),
    )


def _rows(voice: Voice, facts: SetFacts, verdict: SetVerdict) -> Iterator[tuple[Status, str, str]]:
    rpo, rto = facts.objectives.rpo, facts.objectives.rto
    newest = _point(voice, facts.newest, verdict.newest_age)
    yield verdict.newest, "label.newest", newest
    proved = _point(voice, facts.proved, verdict.proved_age)
    if verdict.proved_age is not None:
        proved += f"\n{_against(voice, verdict.proved, 'RPO', rpo)}"
    yield verdict.proved, "label.proved", proved
    yield verdict.backup, "label.last_backup", _run(voice, facts.backup)
    yield verdict.proof, "label.last_proof", _run(voice, facts.proof)
    if facts.restore is None:
        yield verdict.restore, "label.restore_time", voice.say("report.no_data")
    else:
        key = "proof.restore_reckoned" if facts.restore.reckoned else "proof.restore_time"
        span = voice.say(key, span=facts.restore.span)
        against = _against(voice, verdict.restore, "RTO", rto)
        yield verdict.restore, "label.restore_time", f"{span}, {against}"
    if facts.retention is not None:
        yield verdict.retention, "label.retention", _retained(voice, facts.retention)
    if facts.unusual:
        said = [voice.finding(freeze.said) for freeze in facts.unusual]
        yield verdict.data, "label.data", "\n".join(said)
    if facts.coverage is not None:
        yield verdict.coverage, "label.coverage", _covered(voice, facts.coverage.covered)


def _covered(voice: Voice, found: Covered) -> str:
    if found.oldest is None:
        return voice.say("report.no_data")
    fields = {"count": found.unread, "oldest": found.oldest}
    said = voice.say("coverage.unread" if found.unread else "coverage.status", **fields)
    if found.damaged:
        said = f"{voice.say('coverage.damaged', count=found.damaged)}\n{said}"
    return said


def _retained(voice: Voice, found: Retained) -> str:
    said = voice.say("keeping.status", kept=found.kept, dropped=found.dropped)
    if found.freezes:
        why, at = keeping.causes(voice, found.freezes), found.freezes[0].at
        said += f"\n{voice.say('keeping.status_frozen', at=at, causes=why)}"
    return said if found.last is None else f"{said}\n{_run(voice, found.last)}"


def _point(voice: Voice, point: RecoveryPoint | None, age: timedelta | None) -> str:
    if point is None or age is None:
        return voice.say("report.no_data")
    if age < timedelta():
        said = f"{voice.moment(point.at)}, {voice.say('report.in_future')}"
    else:
        said = voice.say("status.age", at=point.at, age=age)
    return said if point.complete else f"{said} ({voice.say('report.incomplete')})"


def _against(voice: Voice, status: Status, name: str, limit: timedelta) -> str:
    key = "status.within" if status is Status.OK else "status.beyond"
    return voice.say(key, name=name, limit=limit)


def _run(voice: Voice, last: LastRun | None) -> str:
    if last is None:
        return voice.say("report.no_data")
    if last.closing is None:
        return voice.say("status.died", at=last.run.opened_at)
    return voice.say(
        "status.run",
        outcome=voice.word("outcome", last.closing.outcome.value),
        at=last.closing.closed_at,
        elapsed=last.closing.elapsed,
    )


def _under_way(voice: Voice, run: Run) -> str:
    task = voice.word("task", run.task.value)
    return voice.say("status.under_way", task=task, at=run.opened_at, pid=str(run.pid))


def _worth_telling(facts: SetFacts) -> Iterator[Finding]:
    """What the last runs noticed, without mere notes."""
    for last in (facts.backup, facts.proof):
        if last is not None and last.closing is not None:
            yield from (f for f in last.closing.findings if f.severity > Severity.NOTE)
