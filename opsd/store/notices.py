"""What people are told: queued before it is sent, and what came of each try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from opsd import record
from opsd.model import Finding
from opsd.people import Address, Notice, Sending, Urgency
from opsd.store.entries import Entries
from opsd.store.only_added import only_added
from opsd.store.pings import Pings
from opsd.store.schema import Moment, metadata

SENT, GIVEN_UP, SPARED = "sent", "given_up", "spared"

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("at", Moment, nullable=False, index=True),
    Column("urgency", String, nullable=False),
    Column("incident", String, nullable=False, index=True),
    Column("said", JSON, nullable=False),
)

# A notice on its way to one address.
sending = Table(
    "sending",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("notice", ForeignKey("notice.id"), nullable=False),
    Column("channel", String, nullable=False),
    Column("address", String, nullable=False),
    Column("person", String, nullable=False),
    Column("rank", Integer, nullable=False),
    UniqueConstraint("notice", "channel", "address"),
)

# Written before it is tried: a try without an end may have arrived.
sending_try = Table(
    "sending_try",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sending", ForeignKey("sending.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
)

sending_failure = Table(
    "sending_failure",
    metadata,
    Column("attempt", ForeignKey("sending_try.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", String, nullable=False),
)

sending_end = Table(
    "sending_end",
    metadata,
    Column("sending", ForeignKey("sending.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("outcome", String, nullable=False),
    Index("sending_outcome", "outcome"),
)

for _table in (notice, sending, sending_try, sending_failure, sending_end):
    only_added(_table)


@dataclass(frozen=True, slots=True)
class Post:
    """A notice that is to be queued."""

    key: str
    at: datetime
    urgency: Urgency
    said: Finding
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a channel did: notices sent and given up, failed tries by reason, and what waits."""

    sent: int
    given_up: int
    failures: Mapping[str, int]
    waiting: int


class Notices(Entries, Pings):
    """The file of the history, opened for what people are told."""

    def queue(self, post: Post, addresses: Sequence[Address], also: Iterable[str] = ()) -> bool:
        """Queue a notice, of each key one; `also` are keys that it stands for besides.

        Gives whether it was new.
        """
        with self._writing() as connection:
            if connection.execute(select(notice.c.id).where(notice.c.key == post.key)).first():
                return False
            columns = {
                "at": post.at,
                "urgency": post.urgency.value,
                "incident": post.incident,
                "said": record.plain_finding(post.said),
            }
            made = connection.execute(
                notice.insert().values(key=post.key, **columns).returning(notice.c.id)
            ).scalar_one()
            for rank, one in enumerate(addresses):
                connection.execute(
                    sending.insert().values(
                        notice=made,
                        channel=one.channel,
                        address=one.to,
                        person=one.person,
                        rank=rank,
                    )
                )
            for key in also:
                connection.execute(notice.insert().values(key=key, **columns))
        return True

    def told(self, begin: str) -> frozenset[str]:
        """The keys of notices that begin so."""
        chosen = select(notice.c.key).where(notice.c.key.startswith(begin, autoescape=True))
        return frozenset(row.key for row in self._rows(chosen))

    def paged(self, since: datetime) -> Sequence[datetime]:
        """When pages were queued since a moment."""
        chosen = select(notice.c.at).where(
            notice.c.at >= since,
            notice.c.urgency == Urgency.PAGE.value,
            notice.c.id.in_(select(sending.c.notice)),
        )
        return tuple(row.at for row in self._rows(chosen))

    def waiting(self, channel: str) -> Sequence[Sending]:
        """What waits in a channel, oldest first.

        Of a notice that is no page only the first address that has not failed waits.
        """
        unended = select(sending).outerjoin(sending_end).where(sending_end.c.sending.is_(None))
        chosen = (
            unended.join(notice, notice.c.id == sending.c.notice)
            .add_columns(notice.c.key, notice.c.at, notice.c.urgency, notice.c.incident)
            .add_columns(notice.c.said)
            .where(sending.c.channel == channel)
            .order_by(sending.c.id)
        )
        return tuple(self._tried(row) for row in self._rows(chosen) if self._turn(row))

    def begin(self, one: Sending, at: datetime) -> int:
        """Record that it is tried now; gives the number of the try."""
        with self._writing() as connection:
            made = sending_try.insert().values(sending=one.id, at=at).returning(sending_try.c.id)
            return int(connection.execute(made).scalar_one())

    def fail(self, attempt: int, at: datetime, reason: str, detail: str) -> None:
        """Record that a try failed."""
        self._add(sending_failure, attempt=attempt, at=at, reason=reason, detail=detail)

    def end(self, one: Sending, at: datetime, outcome: str) -> None:
        """Record that it is over: sent, or given up. One that is no page spares the others."""
        with self._writing() as connection:
            rows = [{"sending": one.id, "at": at, "outcome": outcome}]
            if one.notice.urgency is Urgency.TELL and outcome == SENT:
                others = select(sending.c.id).outerjoin(sending_end)
                open_ones = others.where(
                    sending.c.notice == one.notice.id,
                    sending.c.person == one.address.person,
                    sending.c.id != one.id,
                    sending_end.c.sending.is_(None),
                )
                spared = connection.execute(open_ones).scalars()
                rows += [{"sending": id_, "at": at, "outcome": SPARED} for id_ in spared]
            connection.execute(sending_end.insert(), rows)

    def tally(self, channel: str) -> Tally:
        """What a channel did since the beginning of the history."""
        mine = select(sending_end.c.outcome, func.count()).select_from(sending_end.join(sending))
        ends = dict(
            tuple(row)
            for row in self._rows(
                mine.where(sending.c.channel == channel).group_by(sending_end.c.outcome)
            )
        )
        failed = select(sending_failure.c.reason, func.count()).select_from(
            sending_failure.join(sending_try).join(sending)
        )
        failures = self._rows(
            failed.where(sending.c.channel == channel).group_by(sending_failure.c.reason)
        )
        every = self._rows(select(func.count()).where(sending.c.channel == channel))[0][0]
        return Tally(
            sent=ends.get(SENT, 0),
            given_up=ends.get(GIVEN_UP, 0),
            failures={row[0]: row[1] for row in failures},
            waiting=every - sum(ends.values()),
        )

    def sendings(self, incident: str) -> Sequence[tuple[datetime, str, str, str]]:
        """When, by which channel and to whom an incident was told, and what came of it."""
        chosen = (
            select(notice.c.at, sending.c.channel, sending.c.person, sending.c.address)
            .add_columns(sending_end.c.outcome)
            .join(notice, notice.c.id == sending.c.notice)
            .outerjoin(sending_end, sending_end.c.sending == sending.c.id)
            .where(notice.c.incident == incident)
            .order_by(sending.c.id)
        )
        return tuple(
            (row.at, row.channel, row.person or row.address, row.outcome or "")
            for row in self._rows(chosen)
        )

    def _turn(self, row: Row[Any]) -> bool:
        """Whether it is this address' turn: those before it have failed, or it is a page."""
        if row.urgency == Urgency.PAGE.value or row.rank == 0:
            return True
        before = select(sending.c.id).where(
            sending.c.notice == row.notice,
            sending.c.person == row.person,
            sending.c.rank < row.rank,
        )
        failed = select(sending_try.c.sending).select_from(sending_try.join(sending_failure))
        untried = before.where(sending.c.id.not_in(failed))
        return not self._rows(untried)

    def _tried(self, row: Row[Any]) -> Sending:
        failure = sending_failure
        tries = self._rows(
            select(sending_try.c.at, failure.c.at.label("failed_at"))
            .outerjoin(failure, failure.c.attempt == sending_try.c.id)
            .where(sending_try.c.sending == row.id)
            .order_by(sending_try.c.id)
        )
        failed = [one.failed_at for one in tries if one.failed_at is not None]
        told = Notice(
            row.notice,
            row.key,
            row.at,
            Urgency(row.urgency),
            row.incident,
            record.finding(row.said),
        )
        return Sending(
            id=row.id,
            notice=told,
            address=Address(row.channel, row.address, row.person),
            tries=len(failed),
            tried_at=failed[-1] if failed else None,
            unsure=len(failed) < len(tries),
        )
