"""The tables of answering: written ahead, only ever added to."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from opsd.store.only_added import only_added
from opsd.store.schema import Moment, metadata

decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident", String, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("playbook", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("words", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
)

response = Table(
    "response",
    metadata,
    Column("id", String, primary_key=True),
    Column("incident", String, nullable=False, index=True),
    Column("playbook", String, nullable=False),
    Column("host", String, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("origin", String, nullable=False),
    Column("who", String, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("digest", String, nullable=False),
    Column("occasion", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("resumes", String, nullable=False),
    Index("response_of_playbook", "playbook", "opened_at"),
)

vote = Table(
    "vote",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("response", ForeignKey("response.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("reason", String, nullable=False),
)

# Written before the first step.
response_start = Table(
    "response_start",
    metadata,
    Column("response", ForeignKey("response.id"), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("node", String, nullable=False),
)

# Written before each step that is done or undone: neither is ever begun twice.
intent = Table(
    "intent",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("response", ForeignKey("response.id"), nullable=False),
    Column("step", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("undoing", Boolean, nullable=False),
    UniqueConstraint("response", "step", "undoing"),
)

step_end = Table(
    "step_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("intent", ForeignKey("intent.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("fate", String, nullable=False),
    Column("exit_code", Integer),
    Column("output", String, nullable=False),
    Column("elapsed_seconds", Float, nullable=False),
    Column("said", JSON),
)

response_end = Table(
    "response_end",
    metadata,
    Column("response", ForeignKey("response.id"), primary_key=True),
    Column("ended_at", Moment, nullable=False),
    Column("ending", String, nullable=False),
    Column("after_crash", Boolean, nullable=False),
    Column("said", JSON),
)

breaker = Table(
    "breaker",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("playbook", String, nullable=False),
    Column("host", String, nullable=False),
    Column("at", Moment, nullable=False),
)

breaker_end = Table(
    "breaker_end",
    metadata,
    Column("breaker", ForeignKey("breaker.id"), primary_key=True),
    Column("ended_at", Moment, nullable=False),
)

switch = Table(
    "switch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("playbook", String, nullable=False),
    Column("on", Boolean, nullable=False),
    Column("who", String, nullable=False),
    Column("reason", String, nullable=False),
)

page = Table(
    "page",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("call", String, nullable=False),
    Column("incident", String, nullable=False, index=True),
    Column("response", String, nullable=False),
    Column("said", JSON, nullable=False),
    Column("attached", JSON, nullable=False),
)

for _table in (
    decision,
    response,
    vote,
    response_start,
    intent,
    step_end,
    response_end,
    breaker,
    breaker_end,
    switch,
    page,
):
    only_added(_table)
