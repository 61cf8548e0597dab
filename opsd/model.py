"""The nouns of opsd as immutable values. What each word means: docs/glossary.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class MemberKind(StrEnum):
    """What a member of a backup set is."""

    POSTGRES = "postgres"
    COMMAND = "command"
    MARIADB = "mariadb"
    FILES = "files"


class Task(StrEnum):
    """What can be done to a backup set."""

    BACKUP = "backup"
    PROVE = "prove"
    RESTORE = "restore"
    REBUILD = "rebuild"
    RETAIN = "retain"
    BASE = "base"
    REPLAY = "replay"
    COVER = "cover"


class Outcome(StrEnum):
    """How a run ended. Only the first two are good; a run that was never closed is interrupted."""

    SUCCEEDED = "succeeded"
    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    COULD_NOT_VERIFY = "could_not_verify"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"

    @property
    def good(self) -> bool:
        """Whether the run did all that it was for."""
        return self in {Outcome.SUCCEEDED, Outcome.PASSED}


class Proof(IntEnum):
    """How far a recovery point has been proved in one repository."""

    TAKEN = 1
    STRUCTURE_CHECKED = 2
    DATA_READ = 3
    RESTORED = 4
    PROVED = 5

    @property
    def word(self) -> str:
        """The level as written in tables, labels and JSON."""
        return self.name.lower()


class Severity(IntEnum):
    """What a finding means for the run that made it."""

    NOTE = 0
    CHANGE = 1  # worth a look by a person; the run may still be good
    FAULT = 2  # the run is not good


class Status(IntEnum):
    """How good something is, in Nagios' four words. Unknown is never good."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def word(self) -> str:
        """The status as written in tables, labels and JSON."""
        return self.name.lower()

    @property
    def badness(self) -> int:
        """From good to bad: a known fault outweighs what is not known."""
        return _BADNESS[self]


_BADNESS = {Status.OK: 0, Status.WARNING: 1, Status.UNKNOWN: 2, Status.CRITICAL: 3}


def worst(found: Iterable[Status]) -> Status:
    """The worst of all; of nothing, unknown."""
    return max(found, key=lambda status: status.badness, default=Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed: a sentence of the catalogue with its values."""

    severity: Severity
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the source had it: `rows` counted by SQL, `digest` of its rows' text.

    The digest is of `COPY table (columns) TO STDOUT` in text format with the database's encoding,
    UTC and ISO dates, in physical order; a restored table has the same.
    """

    schema: str
    name: str
    columns: tuple[str, ...]
    rows: int
    digest: str
    oid: int = 0  # in the source; a dump names the table's file by it

    @property
    def qualified(self) -> str:
        """Schema and name for people."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence's value before and after the dump: the dumped value lies between them."""

    schema: str
    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class DatabaseManifest:
    """What the database said, all in one exported snapshot (sequences excepted: see there).

    `properties` are those of the database itself: owner, grants, settings; None where nobody asked.
    `hashing` names how the tables' digests were made; manifests of before 2026-12 do not say it.
    `position` is the end of the log just before the snapshot, `snapshot` which transactions it sees
    (`pg_current_snapshot()`): with both the log can be brought to the same. None: from a standby.
    """

    database: str
    server_version: int
    system_identifier: str
    encoding: str
    at: datetime
    bytes: int
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    extensions: tuple[str, ...]
    roles: tuple[str, ...]
    large_objects: int
    large_objects_digest: str
    properties: Mapping[str, str] | None = None
    hashing: str = "sha256"
    position: str | None = None
    snapshot: str | None = None

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True, slots=True)
class MemberSnapshot:
    """One member inside a recovery point.

    `root` is the absolute path inside the snapshot; `files` and `bytes` are what was read (for a
    database: tables, and bytes of the dump), `rows` is 0 for files.
    """

    member: str
    kind: MemberKind
    snapshot: str
    root: str
    files: int
    bytes: int
    rows: int
    added_bytes: int
    elapsed: timedelta


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """The result of one backup run. `id` is the run's id, `at` the moment its data is from."""

    id: str
    backup_set: str
    repository: str
    host: str
    at: datetime
    members: tuple[MemberSnapshot, ...]
    complete: bool
    record: str = ""  # the snapshot that holds manifests and evidence
    record_root: str = ""  # the absolute path inside it

    def member(self, name: str) -> MemberSnapshot | None:
        """The member called `name`, if the point has it."""
        return next((m for m in self.members if m.member == name), None)


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a task was done; opened before its first effect."""

    id: str
    task: Task
    backup_set: str
    repository: str
    opened_at: datetime
    host: str
    pid: int
    slot: datetime | None = None  # the due time, when a schedule fired it


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a run. `reason` is one word for metrics, empty when the outcome is good."""

    run: str
    closed_at: datetime
    outcome: Outcome
    elapsed: timedelta
    reason: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run saw, as JSON-able figures; `kind` says what about."""

    run: str
    at: datetime
    kind: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ProofReached:
    """A recovery point reached (or failed to reach) a level of proof in a repository."""

    run: str
    point: str
    repository: str
    at: datetime
    level: Proof
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure that a check saw: a metric, its value, and its labels besides host or check."""

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class CheckId:
    """One thing that has a status: a check, where it is asked, and what of.

    `host` is empty where the check is about no host; `subject` is the mount point, device or unit
    that it is about, empty where there is one only.
    """

    host: str
    check: str
    subject: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.host, self.check, self.subject.lstrip("/")))) or "?"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer of a check about one subject.

    `cause` names what is wrong in one word, the same in metrics and incidents, empty when all is
    well; `key`, `fields` and `detail` say it to people, as in a finding. `disks` are those of the
    host that it tells of, where it does: what two checks say of one disk is one cause.
    """

    status: Status
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""
    cause: str = ""
    subject: str = ""
    measurements: tuple[Measurement, ...] = ()
    disks: frozenset[str] = frozenset()

    @property
    def said(self) -> Finding:
        """What it says, as a finding."""
        severity = Severity.NOTE if self.status is Status.OK else Severity.FAULT
        return Finding(severity, self.key, self.fields, self.detail)


@dataclass(frozen=True, slots=True)
class CheckState:
    """What is known of one check.

    `status` is confirmed and holds since `since`; `recent` are the newest answers as they came,
    the last one being `result`, given at `seen_at`. `worse_since` is when the answers began to be
    critical. `incident` is the code of the open one; `silent` says why a critical check has none.
    `told` is the status that the last flip told.
    """

    id: CheckId
    status: Status
    since: datetime
    result: CheckResult
    seen_at: datetime
    recent: tuple[Status, ...] = ()
    worse_since: datetime | None = None
    incident: str = ""
    silent: str = ""
    told: Status = Status.OK

    @property
    def raw(self) -> Status:
        """The newest answer as it came."""
        return self.recent[-1] if self.recent else Status.UNKNOWN


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of a check's confirmed status."""

    id: CheckId
    at: datetime
    before: Status
    after: Status
    cause: str
    said: Finding


@dataclass(frozen=True, slots=True)
class Incident:
    """From the flip to critical until the flip back; `began` is the first answer that was bad.

    A check that is critical because another one is (a host that is dead) opens none of its own; one
    that tells of the same disk as another joins its incident, which lasts as long as either.

    Of a service that is out, `side` says who has to act, and `because` why that is thought.
    """

    code: str
    id: CheckId
    began: datetime
    opened_at: datetime
    cause: str
    said: Finding
    closed_at: datetime | None = None
    side: str = ""
    because: Finding | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which every answer of a check was the same, as it was given and not confirmed.

    Between two stretches of a check that do not touch nobody looked.
    """

    id: CheckId
    began: datetime
    ended: datetime
    status: Status
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A time in which faults are expected: of a host, of one of its checks, or of everything."""

    id: str
    began: datetime
    ends: datetime
    reason: str
    who: str
    host: str = ""
    check: str = ""
    ended_at: datetime | None = None

    def covers(self, one: CheckId, at: datetime) -> bool:
        """Whether a fault of this check at this moment is expected."""
        during = self.began <= at < min(self.ends, self.ended_at or self.ends)
        return during and self.host in {"", one.host} and self.check in {"", one.check}
