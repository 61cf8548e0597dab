"""The tables of the history. Rows are added, never changed or removed: triggers see to it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.types import TypeDecorator

from opsd.store.only_added import only_added

VERSION = 4
metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware to UTC without zone. Raises `ValueError` for a naive moment."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without zone cannot be kept")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC without zone to aware."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


run = Table(
    "run",
    metadata,
    Column("id", String, primary_key=True),
    Column("task", String, nullable=False),
    Column("backup_set", String, nullable=False),
    Column("repository", String, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("slot", Moment),
    Index("run_of_set", "backup_set", "task", "opened_at"),
)

closing = Table(
    "closing",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("closed_at", Moment, nullable=False),
    Column("outcome", String, nullable=False),
    Column("elapsed_seconds", Float, nullable=False),
    Column("reason", String, nullable=False),
    Column("findings", JSON, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", ForeignKey("run.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", JSON, nullable=False),
)

point = Table(
    "point",
    metadata,
    Column("id", String, primary_key=True),
    Column("backup_set", String, nullable=False),
    Column("repository", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("complete", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index("point_of_set", "backup_set", "at"),
)

proof = Table(
    "proof",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("point", String, nullable=False, index=True),
    Column("repository", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("level", Integer, nullable=False),
    Column("outcome", String, nullable=False),
)

flip = Table(
    "flip",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("host", String, nullable=False),
    Column("check", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("said", JSON, nullable=False),
    Index("flip_of_check", "host", "check", "subject", "at"),
)

incident = Table(
    "incident",
    metadata,
    Column("code", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("check", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("began", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False, index=True),
    Column("cause", String, nullable=False),
    Column("said", JSON, nullable=False),
)

incident_end = Table(
    "incident_end",
    metadata,
    Column("code", ForeignKey("incident.code"), primary_key=True),
    Column("closed_at", Moment, nullable=False),
)

incident_blame = Table(
    "incident_blame",
    metadata,
    Column("code", ForeignKey("incident.code"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("side", String, nullable=False),
    Column("because", JSON, nullable=False),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", String, primary_key=True),
    Column("began", Moment, nullable=False),
    Column("ends", Moment, nullable=False, index=True),
    Column("reason", String, nullable=False),
    Column("who", String, nullable=False),
    Column("host", String, nullable=False),
    Column("check", String, nullable=False),
)

maintenance_end = Table(
    "maintenance_end",
    metadata,
    Column("id", ForeignKey("maintenance.id"), primary_key=True),
    Column("ended_at", Moment, nullable=False),
)

hold = Table(
    "hold",
    metadata,
    Column("id", String, primary_key=True),
    Column("backup_set", String, nullable=False),
    Column("point", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("reason", String, nullable=False),
    Column("who", String, nullable=False),
)

hold_end = Table(
    "hold_end",
    metadata,
    Column("id", ForeignKey("hold.id"), primary_key=True),
    Column("released_at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("reason", String, nullable=False),
)

freeze = Table(
    "freeze",
    metadata,
    Column("id", String, primary_key=True),
    Column("backup_set", String, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("cause", String, nullable=False),
    Column("about", String, nullable=False),
    Column("said", JSON, nullable=False),
)

freeze_end = Table(
    "freeze_end",
    metadata,
    Column("id", ForeignKey("freeze.id"), primary_key=True),
    Column("ended_at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("reason", String, nullable=False),
)

# Written before the first snapshot goes: what it names is gone, or on its way.
dropped = Table(
    "dropped",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("point", ForeignKey("point.id"), nullable=False, unique=True),
    Column("backup_set", String, nullable=False),
    Column("repository", String, nullable=False, index=True),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("snapshots", JSON, nullable=False),
    Column("record", String, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("text", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("digest", String, nullable=False),
)

audit_verified = Table(
    "audit_verified",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("number", Integer, nullable=False),
)

# One life of a daemon. No history: who is here, and was heard of when, by the clock of the store.
node = Table(
    "node",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("home", String, nullable=False),
    Column("began", Float, nullable=False),
    Column("heard", Float, nullable=False),
    Column("gone", Integer, nullable=False),
)

# A slot is claimed before anything of it is done; a claim whose node is gone is taken over. What is
# done of it already, the runs say that have its slot.
claim = Table(
    "claim",
    metadata,
    Column("work", String, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("node", ForeignKey("node.id"), nullable=False),
    Column("at", Moment, nullable=False),
)

claim_end = Table(
    "claim_end",
    metadata,
    Column("work", String, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("end", String, nullable=False),
)

# Times in which a database server was deliberately left without protection of its commits.
exposure = Table(
    "exposure",
    metadata,
    Column("id", String, primary_key=True),
    Column("backup_set", String, nullable=False, index=True),
    Column("member", String, nullable=False),
    Column("began", Moment, nullable=False),
    Column("begin", String, nullable=False),
)

exposure_end = Table(
    "exposure_end",
    metadata,
    Column("id", ForeignKey("exposure.id"), primary_key=True),
    Column("ended", Moment, nullable=False),
    Column("end", String, nullable=False),
)

for _table in metadata.sorted_tables:
    if _table is not node:
        only_added(_table)
