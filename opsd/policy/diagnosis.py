"""What `opsd doctor` concludes from what it saw: facts in, diagnoses with their remedies out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.errors import OpsdError, RepositoryMissing
from opsd.model import Status
from opsd.policy import preflight
from opsd.policy.preflight import ClockFacts

_NAMED = 5
_OFTEN = 2  # room for twice what is needed, or it is worth a look


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: a sentence of the catalogue, whose remedy says what to do."""

    status: Status
    subject: str
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database that answers; `ahead` is our clock minus its."""

    version: int
    bytes: int
    superuser: bool
    forbidden: tuple[str, ...]
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A repository that answers; `busy` while a run of ours works on it."""

    snapshots: int
    locks: int
    busy: bool


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """A directory of ours: its room, what it must take, what must stay free."""

    path: Path
    free: int
    needed: int
    spare: int = 0


def of_error(subject: str, error: OpsdError) -> Diagnosis:
    """Something that could not be done, in its own words."""
    return Diagnosis(Status.CRITICAL, subject, error.key, error.fields, error.detail)


def judge_restic(found: tuple[int, int, int], minimum: tuple[int, int, int]) -> Diagnosis:
    """Is restic new enough?"""
    for against in preflight.judge_restic(found, minimum):
        return of_error("restic", against)
    return _ok("restic", "doctor.restic", version=".".join(map(str, found)))


def judge_programs(missing: tuple[str, ...]) -> Diagnosis:
    """Are the small programs there, through which others are started?"""
    if missing:
        return Diagnosis(Status.CRITICAL, "programs", "doctor.programs_missing", {"names": missing})
    return _ok("programs", "doctor.programs")


def judge_database(subject: str, facts: DatabaseFacts) -> tuple[Diagnosis, ...]:
    """May everything be read, and are role passwords kept?"""
    version = f"{facts.version // 10000}.{facts.version % 10000}"
    found = [_ok(subject, "doctor.database", version=version, bytes=Size(facts.bytes))]
    if facts.forbidden:
        fields = {"count": len(facts.forbidden), "names": facts.forbidden[:_NAMED]}
        found.append(Diagnosis(Status.CRITICAL, subject, "doctor.forbidden", fields))
    if not facts.superuser:
        found.append(Diagnosis(Status.WARNING, subject, "doctor.no_superuser"))
    return tuple(found)


def judge_mariadb(subject: str, version: int, size: int, *, logs: bool) -> Diagnosis:
    """Does it answer, and does it keep a log that a dump could be brought forward by?"""
    number = f"{version // 10000}.{version // 100 % 100}.{version % 100}"
    if not logs:
        return Diagnosis(Status.WARNING, subject, "doctor.mariadb_no_log", {"version": number})
    return _ok(subject, "doctor.mariadb", version=number, bytes=Size(size))


def judge_repository(
    subject: str, found: RepositoryFacts | OpsdError, points: int
) -> tuple[Diagnosis, ...]:
    """Is it there, does the key fit, does a lock of a dead process lie about?

    `points` is how many recovery points of it the history knows.
    """
    if isinstance(found, RepositoryMissing):
        if points:
            return (
                Diagnosis(
                    Status.CRITICAL,
                    subject,
                    "repository.lost",
                    {"repository": subject, "points": points},
                ),
            )
        return (Diagnosis(Status.WARNING, subject, "doctor.no_repository_yet"),)
    if isinstance(found, OpsdError):
        return (of_error(subject, found),)
    told = [_ok(subject, "doctor.repository", snapshots=found.snapshots)]
    if found.locks and not found.busy:
        told.append(Diagnosis(Status.WARNING, subject, "doctor.locks", {"count": found.locks}))
    return tuple(told)


def judge_place(subject: str, facts: PlaceFacts) -> Diagnosis:
    """Is there room, and will there be next time?"""
    room = preflight.Room(facts.path, facts.free, facts.needed, facts.spare)
    for against in preflight.judge_room(room):
        return of_error(subject, against)
    fields = {
        "path": facts.path,
        "free": Size(facts.free),
        "needed": Size(facts.needed + facts.spare),
    }
    if facts.free < _OFTEN * (facts.needed + facts.spare):
        return Diagnosis(Status.WARNING, subject, "doctor.room_short", fields)
    return _ok(subject, "doctor.room", **fields)


def judge_clock(facts: ClockFacts) -> tuple[Diagnosis, ...]:
    """May this clock date recovery points?"""
    against = tuple(of_error("clock", error) for error in preflight.judge_clock(facts))
    if against:
        return against
    offset = max((abs(ahead) for ahead in facts.offsets.values()), default=timedelta())
    if facts.synchronised is True:
        return (_ok("clock", "doctor.clock", offset=offset),)
    key = "clock.unsynchronised" if facts.synchronised is False else "doctor.clock_unknown"
    return (Diagnosis(Status.WARNING, "clock", key),)


def judge_reader(*, reads_all: bool) -> Diagnosis:
    """May the account read files whatever their permissions?"""
    if reads_all:
        return _ok("account", "doctor.reads_all")
    return Diagnosis(Status.WARNING, "account", "doctor.reads_some")


def judge_leftovers(left: tuple[str, ...], dead: tuple[str, ...]) -> tuple[Diagnosis, ...]:
    """What dead runs left behind."""
    found = []
    if dead:
        fields = {"count": len(dead), "names": dead[:_NAMED]}
        found.append(Diagnosis(Status.WARNING, "history", "doctor.dead_runs", fields))
    if left:
        fields = {"count": len(left), "names": left[:_NAMED]}
        found.append(Diagnosis(Status.WARNING, "scratch", "doctor.leftovers", fields))
    return tuple(found) or (_ok("history", "doctor.tidy"),)


def _ok(subject: str, key: str, **fields: object) -> Diagnosis:
    return Diagnosis(Status.OK, subject, key, fields)
