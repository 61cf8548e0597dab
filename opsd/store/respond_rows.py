"""Rows of answering as nouns, and nouns as rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from opsd import record
from opsd.model import CheckId
from opsd.playbook import Occasion
from opsd.response import (
    Attempt,
    Decision,
    Ending,
    Fate,
    Intent,
    Origin,
    Page,
    Response,
    StepEnd,
    Summary,
    Verdict,
    read_plan,
)
from opsd.store import respond_tables as tables


def call(connection: Connection, page: Page | None) -> None:
    """Call for a person, in the transaction that tells why: both, or neither."""
    if page is not None:
        connection.execute(
            tables.page.insert().values(
                at=page.at,
                call=page.call.value,
                incident=page.incident,
                response=page.response,
                said=record.plain_finding(page.said),
                attached=dict(page.attached),
            )
        )


def all_responses() -> Select[Any]:
    table, start, end = tables.response, tables.response_start, tables.response_end
    return (
        select(
            table,
            start.c.started_at,
            start.c.node,
            end.c.ended_at,
            end.c.ending,
            end.c.after_crash,
            end.c.said,
        )
        .outerjoin(start, start.c.response == table.c.id)
        .outerjoin(end, end.c.response == table.c.id)
    )


def response(row: Row[Any]) -> Response:
    return Response(
        id=row.id,
        playbook=row.playbook,
        origin=Origin(row.origin),
        who=row.who,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        persons=row.persons,
        digest=row.digest,
        occasion=record.noun(Occasion, row.occasion),
        plan=read_plan(row.plan),
        resumes=row.resumes,
        node=row.node or "",
        started_at=row.started_at,
        ended_at=row.ended_at,
        ending=Ending(row.ending) if row.ending else None,
        said=record.finding(row.said) if row.said else None,
        after_crash=bool(row.after_crash),
    )


def unknown() -> Select[Any]:
    """The responses with a step of which nobody has said yet what became of it."""
    intents, ends, later = tables.intent, tables.step_end, tables.step_end.alias()
    said = select(later.c.id).where(later.c.intent == ends.c.intent, later.c.id > ends.c.id)
    return (
        select(intents.c.response)
        .join(ends, ends.c.intent == intents.c.id)
        .where(ends.c.fate == Fate.UNKNOWN.value, ~said.exists())
    )


def summary(row: Row[Any], unknown: bool) -> Summary:
    ending = Ending(row.ending) if row.ending else None
    seen = row.started_at is not None and row.incident_at is not None
    about = row.host or str(CheckId(**row.occasion["id"]))
    return Summary(
        id=row.id,
        incident=row.incident,
        playbook=row.playbook,
        places=(about, *row.targets),
        origin=Origin(row.origin),
        persons=row.persons,
        opened_at=row.opened_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        ending=ending,
        after_crash=bool(row.after_crash),
        unresolved=unknown and ending is Ending.UNKNOWN,
        reaction=row.started_at - row.incident_at if seen else None,
    )


def attempt(row: Row[Any]) -> Attempt:
    intent = Intent(row.id, row.response, row.step, row.at, row.until, row.undoing)
    if row.fate is None:
        return Attempt(intent)
    return Attempt(
        intent,
        StepEnd(
            intent=row.id,
            at=row.end_at,
            fate=Fate(row.fate),
            exit_code=row.exit_code,
            output=row.output,
            elapsed=timedelta(seconds=row.elapsed_seconds),
            said=record.finding(row.said) if row.said else None,
        ),
    )


def decided(decision: Decision) -> dict[str, object]:
    return {
        "incident": decision.incident,
        "at": decision.at,
        "playbook": decision.playbook,
        "verdict": decision.verdict.value,
        "words": list(decision.words),
        "reasons": [record.plain_finding(one) for one in decision.reasons],
    }


def decision(row: Row[Any]) -> Decision:
    return Decision(
        row.incident,
        row.at,
        row.playbook,
        Verdict(row.verdict),
        tuple(row.words),
        tuple(record.finding(one) for one in row.reasons),
    )
