"""How incidents were answered: decisions, plans, votes and steps, written ahead of what they tell.

A part of the append-only history: what was under way when a process died shows by what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select

from opsd import record
from opsd.response import (
    Attempt,
    Breaker,
    Call,
    Decision,
    Page,
    Response,
    StepEnd,
    Summary,
    Switch,
    Vote,
    plain_plan,
)
from opsd.store import respond_rows as rows
from opsd.store import respond_tables as tables
from opsd.store import schema
from opsd.store.audit import OPSD, add_line
from opsd.store.cases import Cases


class Responses(Cases):
    """The file of the history, opened for the answering of incidents."""

    # --- decisions

    def decide(self, *decisions: Decision, page: Page | None = None) -> None:
        """Record why a playbook was started for an incident, or was not; all, or none."""
        with self._writing() as connection:
            connection.execute(tables.decision.insert(), [rows.decided(one) for one in decisions])
            rows.call(connection, page)

    def decisions(self, incident: str) -> Sequence[Decision]:
        """What was decided about an incident, oldest first."""
        table = tables.decision
        chosen = select(table).where(table.c.incident == incident).order_by(table.c.id)
        return tuple(rows.decision(row) for row in self._rows(chosen))

    def last_decisions(self, incidents: Iterable[str]) -> Mapping[str, Decision]:
        """The newest decision about each of these incidents."""
        table = tables.decision
        newest = (
            select(func.max(table.c.id))
            .where(table.c.incident.in_(list(incidents)))
            .group_by(table.c.incident)
        )
        found = self._rows(select(table).where(table.c.id.in_(newest)))
        return {row.incident: rows.decision(row) for row in found}

    # --- responses

    def open_response(
        self, made: Response, decision: Decision | None = None, page: Page | None = None
    ) -> None:
        """Record what shall be done, and why, before anything is."""
        with self._writing() as connection:
            connection.execute(
                tables.response.insert().values(
                    id=made.id,
                    incident=made.occasion.incident,
                    playbook=made.playbook,
                    host=made.occasion.host,
                    targets=list(made.plan.targets),
                    origin=made.origin.value,
                    who=made.who,
                    opened_at=made.opened_at,
                    expires_at=made.expires_at,
                    persons=made.persons,
                    digest=made.digest,
                    occasion=record.plain(made.occasion),
                    plan=plain_plan(made.plan),
                    resumes=made.resumes,
                )
            )
            if decision is not None:
                connection.execute(tables.decision.insert().values(**rows.decided(decision)))
            told = {
                "response": made.id,
                "playbook": made.playbook,
                "incident": made.occasion.incident,
                "targets": list(made.plan.targets),
                "digest": made.digest,
            }
            add_line(connection, made.opened_at, "response", made.who or OPSD, told)
            rows.call(connection, page)

    def start_response(self, response: str, at: datetime, node: str) -> None:
        """Record that its steps begin, and on which machine opsd works on it; once."""
        self._add(tables.response_start, response=response, started_at=at, node=node)

    def end_response(self, ended: Response, page: Page | None = None) -> None:
        """Record how it ended, with the call for a person where one is needed; once."""
        at, ending, said = ended.ended_at, ended.ending, ended.said
        assert at is not None  # noqa: S101  (it has ended)
        assert ending is not None  # noqa: S101
        with self._writing() as connection:
            connection.execute(
                tables.response_end.insert().values(
                    response=ended.id,
                    ended_at=at,
                    ending=ending.value,
                    after_crash=ended.after_crash,
                    said=record.plain_finding(said) if said else None,
                )
            )
            told = {"response": ended.id, "ending": ending.value}
            add_line(connection, at, "response_end", OPSD, told)
            rows.call(connection, page)

    def response(self, response_id: str) -> Response | None:
        """The response of this id."""
        found = self._rows(rows.all_responses().where(tables.response.c.id == response_id))
        return rows.response(found[0]) if found else None

    def open_responses(self) -> Sequence[Response]:
        """Those that have not ended, oldest first."""
        chosen = rows.all_responses().where(tables.response_end.c.response.is_(None))
        found = self._rows(chosen.order_by(tables.response.c.opened_at))
        return tuple(rows.response(row) for row in found)

    def responses_to(self, incident: str) -> Sequence[Response]:
        """Those to an incident, oldest first."""
        chosen = rows.all_responses().where(tables.response.c.incident == incident)
        found = self._rows(chosen.order_by(tables.response.c.opened_at))
        return tuple(rows.response(row) for row in found)

    def summaries(
        self, since: datetime | None = None, incidents: Collection[str] | None = None
    ) -> Sequence[Summary]:
        """Every response there ever was, oldest first, without plans.

        Or those since a moment and those with a step that nobody knows of; or those to incidents.
        """
        table, start, end = tables.response, tables.response_start, tables.response_end
        unknown = {row.response for row in self._rows(rows.unknown())}
        chosen = (
            select(
                *(table.c.id, table.c.playbook, table.c.origin, table.c.persons, table.c.opened_at),
                *(table.c.incident, table.c.host, table.c.occasion, table.c.targets),
                *(start.c.started_at, end.c.ended_at, end.c.ending, end.c.after_crash),
                schema.incident.c.opened_at.label("incident_at"),
            )
            .outerjoin(start, start.c.response == table.c.id)
            .outerjoin(end, end.c.response == table.c.id)
            .outerjoin(schema.incident, schema.incident.c.code == table.c.incident)
            .order_by(table.c.opened_at)
        )
        if since is not None:
            chosen = chosen.where((table.c.opened_at >= since) | table.c.id.in_(unknown))
        if incidents is not None:
            chosen = chosen.where(table.c.incident.in_(incidents))
        return tuple(rows.summary(row, row.id in unknown) for row in self._rows(chosen))

    def held_back(self) -> Mapping[tuple[str, str], int]:
        """How often each playbook was held back, by word."""
        table = tables.decision
        chosen = select(table.c.playbook, table.c.words).where(table.c.playbook != "")
        return Counter((row.playbook, word) for row in self._rows(chosen) for word in row.words)

    def lives(self, node: str) -> bool:
        """Whether a node of this name was not given up yet."""
        table = schema.node
        return bool(self._rows(select(table.c.id).where(table.c.name == node, table.c.gone == 0)))

    # --- votes

    def vote(self, vote: Vote) -> None:
        """Record what a person said to a plan."""
        with self._writing() as connection:
            told = {"response": vote.response, "digest": vote.digest, "reason": vote.reason}
            values = {**told, "at": vote.at, "who": vote.who, "agreed": vote.agreed}
            connection.execute(tables.vote.insert().values(**values))
            told["said"] = "yes" if vote.agreed else "no"
            add_line(connection, vote.at, "vote", vote.who, told)

    def votes(self, response: str) -> Sequence[Vote]:
        """What people said to it, in order."""
        table = tables.vote
        found = self._rows(select(table).where(table.c.response == response).order_by(table.c.id))
        return tuple(
            Vote(row.response, row.at, row.who, row.digest, row.agreed, row.reason) for row in found
        )

    # --- steps

    def intend(
        self, response: str, step: str, at: datetime, until: datetime, *, undoing: bool = False
    ) -> int:
        """Record that a step is about to be done or undone.

        Raises `StorageFailed` where that was begun before, by whomever.
        """
        with self._writing() as connection:
            done = connection.execute(
                tables.intent.insert().values(
                    response=response, step=step, at=at, until=until, undoing=undoing
                )
            )
            key = done.inserted_primary_key
            return int(key[0]) if key else 0

    def end_step(self, end: StepEnd) -> None:
        """Record what became of an intent; what is recorded last is believed."""
        self._add(
            tables.step_end,
            intent=end.intent,
            at=end.at,
            fate=end.fate.value,
            exit_code=end.exit_code,
            output=end.output,
            elapsed_seconds=end.elapsed.total_seconds(),
            said=record.plain_finding(end.said) if end.said else None,
        )

    def attempts(self, response: str) -> Sequence[Attempt]:
        """Every step that was begun, in order, with what became of it."""
        intents, ends = tables.intent, tables.step_end
        newest = ends.alias()
        last = (
            select(func.max(newest.c.id))
            .where(newest.c.intent == intents.c.id)
            .correlate(intents)
            .scalar_subquery()
        )
        chosen = (
            select(
                intents,
                ends.c.at.label("end_at"),
                ends.c.fate,
                ends.c.exit_code,
                ends.c.output,
                ends.c.elapsed_seconds,
                ends.c.said,
            )
            .select_from(intents)
            .outerjoin(ends, ends.c.id == last)
            .where(intents.c.response == response)
            .order_by(intents.c.id)
        )
        return tuple(rows.attempt(row) for row in self._rows(chosen))

    # --- breakers, switches, pages

    def open_breaker(self, playbook: str, host: str, page: Page) -> None:
        """Record that a playbook rests on a host until a person looked, and call for one."""
        with self._writing() as connection:
            told = {"playbook": playbook, "host": host}
            connection.execute(tables.breaker.insert().values(**told, at=page.at))
            add_line(connection, page.at, "breaker", OPSD, told)
            rows.call(connection, page)

    def close_breaker(self, breaker: Breaker, at: datetime, who: str, reason: str) -> None:
        """Record that a person looked, and that it may work again."""
        with self._writing() as connection:
            connection.execute(tables.breaker_end.insert().values(breaker=breaker.id, ended_at=at))
            told = {"playbook": breaker.playbook, "host": breaker.host, "reason": reason}
            add_line(connection, at, "breaker_end", who, told)

    def breakers(self, *, ended: bool = False) -> Sequence[Breaker]:
        """Those that are open; also those that were."""
        table, end = tables.breaker, tables.breaker_end
        chosen = select(table, end.c.ended_at).outerjoin(end).order_by(table.c.id)
        if not ended:
            chosen = chosen.where(end.c.ended_at.is_(None))
        return tuple(
            Breaker(row.id, row.playbook, row.host, row.at, row.ended_at)
            for row in self._rows(chosen)
        )

    def turn(self, switch: Switch) -> None:
        """Record that automation was switched on or off."""
        with self._writing() as connection:
            told = {"playbook": switch.playbook, "reason": switch.reason}
            values = {**told, "at": switch.at, "who": switch.who, "on": switch.on}
            connection.execute(tables.switch.insert().values(**values))
            told["switch"] = "on" if switch.on else "off"
            add_line(connection, switch.at, "automation", switch.who, told)

    def switches(self) -> Mapping[str, Switch]:
        """How each switch that was ever touched stands; automation as a whole under ''."""
        found = self._rows(select(tables.switch).order_by(tables.switch.c.id))
        return {
            row.playbook: Switch(row.at, row.playbook, row.on, row.who, row.reason) for row in found
        }

    def pages(self, after: int = 0) -> Sequence[Page]:
        """What people are needed for, from the first that comes after an id."""
        table = tables.page
        found = self._rows(select(table).where(table.c.id > after).order_by(table.c.id))
        return tuple(
            Page(
                row.at,
                Call(row.call),
                row.incident,
                row.response,
                record.finding(row.said),
                row.attached,
                row.id,
            )
            for row in found
        )
