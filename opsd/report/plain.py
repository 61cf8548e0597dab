"""The same as JSON for programs: stable names, moments in ISO 8601, spans in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsd import record
from opsd.keeping import Freeze
from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Closing,
    Finding,
    Incident,
    Maintenance,
    Proof,
    RecoveryPoint,
    Run,
)
from opsd.policy.freshness import LastRun, SetFacts, SetVerdict
from opsd.policy.retention import Fate
from opsd.policy.standing import Standing
from opsd.report.voice import Voice
from opsd.trace import Trace

Body = dict[str, Any]


def closing(voice: Voice, found: Closing) -> Body:
    """How a run ended."""
    return {
        "run": found.run,
        "outcome": found.outcome.value,
        "good": found.outcome.good,
        "reason": found.reason,
        "closed_at": moment(found.closed_at),
        "elapsed_seconds": seconds(found.elapsed),
        "findings": findings(voice, found.findings),
    }


def findings(voice: Voice, found: Iterable[Finding]) -> list[Body]:
    """What was noticed, with its sentence."""
    return [{**record.plain_finding(one), "text": voice.finding(one)} for one in found]


def point(found: RecoveryPoint | None) -> Body | None:
    """A recovery point."""
    return None if found is None else record.plain(found)


def standing(found: Standing, now: datetime) -> Body:
    """A point with its age and its proofs."""
    held = found.level
    return {
        **record.plain(found.point),
        "age_seconds": seconds(now - found.point.at),
        "level": held.word if held else None,
        "level_at": moment(found.found_out[held].at) if held else None,
        "proofs": [
            {
                "run": reached.run,
                "at": moment(reached.at),
                "level": reached.level.word,
                "outcome": reached.outcome.value,
            }
            for reached in found.proofs
        ],
    }


def proof(
    voice: Voice, ended: Closing, proved: RecoveryPoint, level: Proof, figures: Mapping[str, Any]
) -> Body:
    """A proof and its figures."""
    return {
        **closing(voice, ended),
        "point": point(proved),
        "level": level.word,
        "figures": dict(figures),
    }


def status(voice: Voice, facts: SetFacts, verdict: SetVerdict, due: datetime) -> Body:
    """The status of a set: for each question its answer and what it was judged by."""
    restore = facts.restore
    return {
        "status": verdict.status.word,
        "rpo_seconds": seconds(facts.objectives.rpo),
        "rto_seconds": seconds(facts.objectives.rto),
        "newest": {
            "status": verdict.newest.word,
            "age_seconds": seconds(verdict.newest_age),
            "point": point(facts.newest),
        },
        "proved": {
            "status": verdict.proved.word,
            "age_seconds": seconds(verdict.proved_age),
            "proved_at": moment(facts.proved_at),
            "point": point(facts.proved),
        },
        "last_backup": {"status": verdict.backup.word, **_last(voice, facts.backup)},
        "last_proof": {"status": verdict.proof.word, **_last(voice, facts.proof)},
        "restore": {
            "status": verdict.restore.word,
            "seconds": seconds(restore.span) if restore else None,
            "reckoned": restore.reckoned if restore else None,
        },
        "retention": _retained(voice, facts, verdict),
        "coverage": _covered(facts, verdict),
        "next_due": moment(due),
        "running": [run(one) for one in facts.running],
    }


def _retained(voice: Voice, facts: SetFacts, verdict: SetVerdict) -> Body | None:
    found = facts.retention
    if found is None:
        return None
    return {
        "status": verdict.retention.word,
        "kept": found.kept,
        "dropped": found.dropped,
        "freezes": [freeze(voice, one) for one in found.freezes],
        "last": _last(voice, found.last),
    }


def _covered(facts: SetFacts, verdict: SetVerdict) -> Body | None:
    if facts.coverage is None:
        return None
    covered = facts.coverage.covered
    return {
        "status": verdict.coverage.word,
        "objects": covered.objects,
        "unread": covered.unread,
        "damaged": covered.damaged,
        "oldest": moment(covered.oldest),
    }


def freeze(voice: Voice, found: Freeze) -> Body:
    """What freezes retention, with its sentence."""
    return {
        "id": found.id,
        "at": moment(found.at),
        "cause": found.cause.value,
        "about": found.about,
        "text": voice.finding(found.said),
    }


def fate(found: Fate, now: datetime) -> Body:
    """A point, and the rules that keep it."""
    rules = [rule.value for rule in found.rules]
    return {**standing(found.standing, now), "kept": found.kept, "rules": rules}


def run(found: Run) -> Body:
    """A run."""
    return record.plain(found)


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, as the nouns are written too."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def seconds(span: timedelta | None) -> float | None:
    """Seconds to the millisecond."""
    return round(span.total_seconds(), 3) if span is not None else None


def _measurements(result: CheckResult) -> list[Body]:
    return [
        {"metric": m.metric, "value": m.value, "labels": dict(m.labels)}
        for m in result.measurements
    ]


def _last(voice: Voice, last: LastRun | None) -> Body:
    if last is None:
        return {"run": None, "outcome": None, "closing": None}
    return {
        "run": run(last.run),
        "outcome": last.outcome.value,
        "closing": closing(voice, last.closing) if last.closing else None,
    }


def check(voice: Voice, found: CheckState, incident: Incident | None) -> Body:
    """What is known of one check, and of the incident that it is in."""
    because = incident.because if incident else None
    one, result = found.id, found.result
    return {
        "host": one.host,
        "check": one.check,
        "subject": one.subject,
        "status": found.status.word,
        "since": moment(found.since),
        "seen_at": moment(found.seen_at),
        "answer": result.status.word,
        "cause": result.cause,
        "text": voice.finding(result.said),
        "incident": found.incident or None,
        "blame": {"side": incident.side, "text": voice.finding(because)}
        if incident and because
        else None,
        "silent": found.silent or None,
        "measurements": _measurements(result),
    }


def answer(voice: Voice, one: CheckId, result: CheckResult) -> Body:
    """What a check answered just now."""
    return {
        "host": one.host,
        "check": one.check,
        "subject": one.subject,
        "status": result.status.word,
        "cause": result.cause,
        "text": voice.finding(result.said),
        "measurements": _measurements(result),
    }


def probe(voice: Voice, name: str, trace: Trace, results: Sequence[CheckResult]) -> Body:
    """What a probe saw just now."""
    whole = results[0]
    return {
        "probe": name,
        "status": whole.status.word,
        "cause": whole.cause,
        "text": voice.finding(whole.said),
        "at": moment(trace.at),
        "seconds": trace.elapsed.total_seconds(),
        "phases": [record.plain(phase) for phase in trace.phases],
        "facts": record.plain(trace.facts),
        "blind": trace.blind,
        "links": {one.subject: one.status.word for one in results if one.subject},
    }


def maintenance(found: Maintenance) -> Body:
    """A maintenance window."""
    return record.plain(found)
