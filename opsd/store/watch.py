"""What is watched now, and the figures that judging needs: a file that may be lost.

It holds the newest state of each check, the timeline of its answers, the measurements whose history
is asked for, and counters. Unlike the history it is overwritten and thinned, and a crash may cost
its last moments; what is proof (flips, incidents, maintenance) lies in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import insert

from opsd import record
from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Measurement,
    Status,
    Stretch,
)
from opsd.store.book import Book, columns_of

VERSION = 1
metadata = MetaData()

# Times are seconds since 1970: these tables are written many times a second.
_state = Table(
    "state",
    metadata,
    Column("host", String, primary_key=True),
    Column("check", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("body", JSON, nullable=False),
)
_stretch = Table(
    "stretch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host", String, nullable=False),
    Column("check", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("began", Float, nullable=False),
    Column("ended", Float, nullable=False),
    Column("status", String, nullable=False),
    Column("cause", String, nullable=False),
    UniqueConstraint("host", "check", "subject", "began"),
    Index("stretch_by_end", "ended"),
)
_series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("labels", String, nullable=False),
    UniqueConstraint("host", "metric", "labels"),
)
_sample = Table(
    "sample",
    metadata,
    Column("series", Integer, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)
_count = Table(
    "count",
    metadata,
    Column("host", String, primary_key=True),
    Column("check", String, primary_key=True),
    Column("cause", String, primary_key=True),
    Column("answers", Integer, nullable=False),
)

# Samples older than the first are kept one a second; then they are dropped.
_THINNED = (
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(days=60), timedelta(days=1)),
)
_KEPT = timedelta(days=800)

SeriesKey = tuple[str, str, str]  # host, metric, labels as JSON


@dataclass(frozen=True, slots=True)
class Kept:
    """A measurement that is kept: of which host, and when it was made."""

    host: str
    measurement: Measurement
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """What one round adds: states, stretches that go on or begin, samples, and answers counted."""

    states: Sequence[CheckState] = ()
    stretches: Sequence[Stretch] = ()
    samples: Sequence[Kept] = ()
    counts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    gone: Sequence[CheckId] = ()


class Watch(Book):
    """The file of the watch."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, metadata, VERSION, synchronous="NORMAL")
        self._known: dict[SeriesKey, int] = {}

    def write(self, page: Page) -> None:
        """Add what a round found, all or nothing."""
        with self._writing() as connection:
            if page.states:
                rows = [{**columns_of(one.id), "body": _plain(one)} for one in page.states]
                _put(connection, _state, rows, ("body",))
            if page.stretches:
                _put(connection, _stretch, [_row(one) for one in page.stretches], ("ended",))
            if page.samples:
                samples = [self._sample(connection, one) for one in page.samples]
                connection.execute(insert(_sample).on_conflict_do_nothing(), samples)
            if page.counts:
                _add_up(connection, page.counts)
            for one in page.gone:
                connection.execute(delete(_state).where(*_of(_state, one)))

    def thin(self, now: datetime) -> None:
        """Drop what is too old, and most of what is old."""
        with self._writing() as connection:
            for age, distance in _THINNED:
                connection.execute(
                    text(
                        "DELETE FROM sample WHERE at < :before AND EXISTS (SELECT 1 FROM sample s "
                        "WHERE s.series = sample.series AND s.at < sample.at "
                        "AND s.at >= CAST(sample.at / :each AS INTEGER) * :each)"
                    ),
                    {"before": (now - age).timestamp(), "each": distance.total_seconds()},
                )
            oldest = (now - _KEPT).timestamp()
            connection.execute(delete(_sample).where(_sample.c.at < oldest))
            connection.execute(delete(_stretch).where(_stretch.c.ended < oldest))

    # --- reading

    def states(self) -> tuple[CheckState, ...]:
        """The newest state of every check."""
        chosen = select(_state).order_by(_state.c.host, _state.c.check, _state.c.subject)
        return tuple(_state_of(row) for row in self._rows(chosen))

    def newest_stretches(self) -> tuple[Stretch, ...]:
        """The last stretch of every check."""
        newest = text(
            'SELECT host, "check", subject, began, max(ended) AS ended, status, cause '
            'FROM stretch GROUP BY host, "check", subject'
        )
        with self._failing(), self._engine.connect() as connection:
            return tuple(_stretch_of(row) for row in connection.execute(newest))

    def stretches(
        self, one: CheckId, since: datetime, until: datetime | None = None
    ) -> tuple[Stretch, ...]:
        """The timeline of a check between two moments, oldest first; the first may begin before."""
        chosen = select(_stretch).where(*_of(_stretch, one), _stretch.c.ended >= since.timestamp())
        if until is not None:
            chosen = chosen.where(_stretch.c.began < until.timestamp())
        return tuple(_stretch_of(row) for row in self._rows(chosen.order_by(_stretch.c.began)))

    def series(
        self, host: str, metric: str, labels: Mapping[str, str], since: datetime
    ) -> tuple[tuple[datetime, float], ...]:
        """The kept samples of a metric, oldest first."""
        key = (host, metric, record.to_json(dict(labels)))
        chosen = (
            select(_sample.c.at, _sample.c.value)
            .join(_series, _series.c.id == _sample.c.series)
            .where(_series.c.host == key[0], _series.c.metric == key[1], _series.c.labels == key[2])
            .where(_sample.c.at >= since.timestamp())
            .order_by(_sample.c.at)
        )
        return tuple((_moment(row.at), row.value) for row in self._rows(chosen))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many answers there were: by host, check and cause; the good ones have no cause."""
        return {(row.host, row.check, row.cause): row.answers for row in self._rows(select(_count))}

    # --- inside

    def _sample(self, connection: Connection, kept: Kept) -> dict[str, object]:
        found = kept.measurement
        key = (kept.host, found.metric, record.to_json(dict(found.labels)))
        if key not in self._known:
            row = dict(zip(("host", "metric", "labels"), key, strict=True))
            connection.execute(insert(_series).values(**row).on_conflict_do_nothing())
            chosen = select(_series.c.id).where(*(_series.c[name] == row[name] for name in row))
            self._known[key] = connection.execute(chosen).scalar_one()
        return {"series": self._known[key], "at": kept.at.timestamp(), "value": found.value}


def _put(
    connection: Connection, table: Table, rows: list[dict[str, Any]], overwritten: Iterable[str]
) -> None:
    adding = insert(table)
    keys = {
        "state": ("host", "check", "subject"),
        "stretch": ("host", "check", "subject", "began"),
    }[table.name]
    change = {name: adding.excluded[name] for name in overwritten}
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=change), rows)


def _add_up(connection: Connection, counts: Mapping[tuple[str, str, str], int]) -> None:
    """In one go: a statement made anew for each took most of what writing a round costs."""
    adding = insert(_count)
    more = {"answers": _count.c.answers + adding.excluded.answers}
    keys = ("host", "check", "cause")
    rows = [dict(zip((*keys, "answers"), (*key, n), strict=True)) for key, n in counts.items()]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=more), rows)


def _of(table: Table, one: CheckId) -> list[Any]:
    return [table.c[name] == value for name, value in columns_of(one).items()]


def _row(one: Stretch) -> dict[str, object]:
    return {
        **columns_of(one.id),
        "began": one.began.timestamp(),
        "ended": one.ended.timestamp(),
        "status": one.status.word,
        "cause": one.cause,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stretch_of(row: Any) -> Stretch:  # noqa: ANN401  (a row of a text query)
    return Stretch(
        CheckId(row.host, row.check, row.subject),
        _moment(row.began),
        _moment(row.ended),
        Status[row.status.upper()],
        row.cause,
    )


def _plain(state: CheckState) -> dict[str, Any]:
    result = state.result
    return {
        "status": state.status.word,
        "since": state.since.timestamp(),
        "seen_at": state.seen_at.timestamp(),
        "recent": [status.word for status in state.recent],
        "worse_since": state.worse_since and state.worse_since.timestamp(),
        "incident": state.incident,
        "silent": state.silent,
        "told": state.told.word,
        "result": {
            "status": result.status.word,
            "said": record.plain_finding(result.said),
            "cause": result.cause,
            "disks": sorted(result.disks),
            "measurements": [[m.metric, m.value, dict(m.labels)] for m in result.measurements],
        },
    }


def _state_of(row: Any) -> CheckState:  # noqa: ANN401  (a row of three keys and a body)
    body = row.body
    found, said = body["result"], record.finding(body["result"]["said"])
    return CheckState(
        id=CheckId(row.host, row.check, row.subject),
        status=Status[body["status"].upper()],
        since=_moment(body["since"]),
        result=CheckResult(
            Status[found["status"].upper()],
            said.key,
            said.fields,
            said.detail,
            found["cause"],
            row.subject,
            tuple(
                Measurement(metric, value, labels)
                for metric, value, labels in found["measurements"]
            ),
            frozenset(found.get("disks", ())),
        ),
        seen_at=_moment(body["seen_at"]),
        recent=tuple(Status[word.upper()] for word in body["recent"]),
        worse_since=_moment(body["worse_since"]) if body["worse_since"] else None,
        incident=body["incident"],
        silent=body["silent"],
        told=Status[body["told"].upper()],
    )
