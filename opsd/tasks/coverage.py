"""Read again what is stored, a part each night, so that decay is seen before the data is needed.

What was never read comes first: what the night itself wrote. Then a cursor goes on from where the
last turn ended, within a budget of minutes and of bytes a second. A damaged object freezes
retention: whatever it held may still be had from the living source.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from opsd.catalogue import Size
from opsd.clock import Stopwatch
from opsd.config.coverage import Coverage
from opsd.drivers.storage import Storage, StoredObject
from opsd.errors import OpsdError, RepositoryDamaged
from opsd.keeping import Cause, Covered, Object
from opsd.model import Closing, Severity, Task
from opsd.policy import coverage
from opsd.policy.coverage import Pace, Turn
from opsd.policy.retention import Obstacle
from opsd.store import Reads
from opsd.tasks import damage, keeping, means, stock, sweep
from opsd.tasks.ahead import ahead
from opsd.tasks.journal import Journal, opened
from opsd.tasks.kit import Kit
from opsd.tasks.turn import turn

_AT_ONCE = 256  # objects that are asked for together, and noted together
_TICK_SECONDS = 0.2
_NAMED = 5
_MOMENT = timedelta(milliseconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
# restic reads packs by the first byte of their names, modulo as many parts.
_PARTS = (256, 16)
_FEW = 32
_NAMES = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{56})?\b")  # whole, or as restic shortens them


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended, and how much of the repository was read since when."""

    closing: Closing
    covered: Covered


def cover(kit: Kit, name: str) -> Result:
    """Read a part of the repository of the set `name` again, that which waited longest.

    Raises `RepositoryDamaged` when something is not what was written, or when there is nothing.
    """
    repository = kit.backup_set(name).repository
    sweep.sweep(kit)
    with (
        opened(kit, Task.COVER, name, repository) as journal,
        turn(journal),
        stock.reads(kit) as known,
    ):
        with journal.phase("preflight"):
            kit.reach(repository)
            last = known.listed(repository)
            stock.take(journal, known, stock.listed(kit, repository))
        work = _Reading(journal, known, kit.clock())
        try:
            with journal.phase("read_back", repository):
                work.go_through(_planned(journal, known, last))
        finally:
            covered = _tell(journal, known, work)
            means.trim_cache(journal)
        _judge(journal, known, work)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return Result(journal.closing, covered)


def read_new(journal: Journal) -> None:
    """Read what was written since the last listing, within a run that goes on, and judge it."""
    kit, repository = journal.kit, journal.run.repository
    with stock.reads(kit) as known, journal.phase("read_back", repository):
        stock.take(journal, known, stock.listed(kit, repository))
        work = _Reading(journal, known, kit.clock())
        work.go_through(Turn(0, _NEVER))
        _judge(journal, known, work)


# --- inside


def _planned(journal: Journal, known: Reads, last: datetime | None) -> Turn:
    total = known.covered(journal.run.repository).bytes
    return coverage.turn(total, journal.kit.clock(), last, _options(journal).within)


def _options(journal: Journal) -> Coverage:
    return journal.kit.config.repositories[journal.run.repository].coverage


@dataclass(slots=True)
class _Reading:
    """One turn under way: what it read, and what it found."""

    journal: Journal
    known: Reads
    begun: datetime
    watch: Stopwatch = field(default_factory=Stopwatch)
    objects: int = 0
    bytes: int = 0
    damaged: list[Object] = field(default_factory=list)

    def go_through(self, planned: Turn) -> None:
        """Read what the plan wants, while there is time; one object is always read."""
        kit, repository = self.journal.kit, self.journal.run.repository
        storage = kit.storage(repository)
        read = self._by_restic if storage is None else self._by_hash(storage)
        while some := self.known.next(repository, self.begun, _AT_ONCE):
            wanted = self._wanted(some, planned)
            read(wanted)
            if len(wanted) < len(some) or self._late:
                return

    def _wanted(self, some: Sequence[Object], planned: Turn) -> list[Object]:
        wanted: list[Object] = []
        read = self.bytes
        for one in some:
            if one.read and one.sound and planned.enough(read, one.since):
                break
            wanted.append(one)
            read += one.size
        return wanted

    @property
    def _late(self) -> bool:
        return self.watch.elapsed() > _options(self.journal).time

    def _by_hash(self, storage: Storage) -> Callable[[list[Object]], None]:
        pace = Pace(_options(self.journal).rate, self.watch.elapsed)

        def read(wanted: list[Object]) -> None:
            sound: list[str] = []
            try:
                for one, good in ahead(partial(_sound, storage), self._paced(wanted, pace)):
                    self.journal.kit.go_on()
                    self._take(one, good, sound)
            finally:
                self._mark(sound, sound=True)

        return read

    def _paced(self, wanted: list[Object], pace: Pace) -> Iterator[Object]:
        """What may be read now, at the pace that is allowed; nothing more when time is over."""
        for number, one in enumerate(wanted):
            if self._late and (number or self.objects):
                return
            until = time.monotonic() + pace.wait(one.size).total_seconds()
            while (left := until - time.monotonic()) > 0:
                self.journal.kit.go_on()
                time.sleep(min(left, _TICK_SECONDS))
            yield one

    def _take(self, one: Object, good: bool | None, sound: list[str]) -> None:
        """Count one object; `good` is nothing where it is gone since it was listed."""
        if good is None:
            self.known.forget(self.journal.run.repository, one.name)
            return
        self.objects += 1
        self.bytes += one.size
        if good:
            sound.append(one.name)
        else:
            self.damaged.append(one)
            self._mark([one.name], sound=False)

    def _by_restic(self, wanted: list[Object]) -> None:
        """Where opsd has no door to the storage, restic reads by parts that hold what is wanted."""
        bytes_of = {bytes.fromhex(one.name[:2])[0] for one in wanted}
        parts = _PARTS[0] if len(bytes_of) <= _FEW else _PARTS[1]
        turns = dict.fromkeys(bytes.fromhex(one.name[:2])[0] % parts for one in wanted)
        for number in turns:
            if self._late and self.objects:
                return
            self.journal.kit.go_on()
            self._read_part(number, parts)

    def _read_part(self, number: int, parts: int) -> None:
        kit, repository = self.journal.kit, self.journal.run.repository
        every = kit.restic(repository).packs()
        limits = kit.limits(repository, _options(self.journal).time)
        report = kit.restic(repository).check(limits=limits, subset=f"{number + 1}/{parts}")
        told = _NAMES.findall("\n".join(report.complaints))
        bad = [name for name in every if any(name.startswith(part) for part in told)]
        held = [name for name in every if bytes.fromhex(name[:2])[0] % parts == number]
        self._mark(held, sound=True)
        self._mark(bad, sound=False)
        self.objects += len(held)
        self.bytes += len(held)
        if report.complaints and not bad:
            raise RepositoryDamaged(
                "repository.damaged",
                repository=repository,
                detail="\n".join(report.complaints[:_NAMED]),
            )

    def _mark(self, names: Iterable[str], *, sound: bool) -> None:
        """After the beginning in any case: a clock that stands is no reason to read it twice."""
        at = max(self.journal.kit.clock(), self.begun + _MOMENT)
        self.known.mark(self.journal.run.repository, names, at, sound=sound)


def _sound(storage: Storage, one: Object) -> bool | None:
    return stock.sound(storage, StoredObject(one.kind, one.name, one.size))


def _tell(journal: Journal, known: Reads, work: _Reading) -> Covered:
    """What was read, and how the whole stands."""
    covered = known.covered(journal.run.repository)
    journal.evidence(
        "coverage",
        {
            "read_objects": work.objects,
            "read_bytes": work.bytes,
            "objects": covered.objects,
            "bytes": covered.bytes,
            # Where only restic reaches, the size of a pack is not known.
            "stored_bytes": covered.bytes if journal.kit.storage(journal.run.repository) else None,
            "unread": covered.unread,
            "damaged": covered.damaged,
            "oldest": covered.oldest.isoformat() if covered.oldest else None,
        },
    )
    return covered


def _judge(journal: Journal, known: Reads, work: _Reading) -> None:
    """Nothing read is not green; damage is told and freezes; what is behind is told."""
    repository, now = journal.run.repository, journal.kit.clock()
    damaged, covered = known.damaged(repository), known.covered(repository)
    if damaged:
        _tell_affected(journal)
        error = RepositoryDamaged(
            "repository.objects_damaged",
            repository=repository,
            count=len(damaged),
            names=[f"{o.kind}/{o.name[:16]}" for o in damaged[:_NAMED]],
        )
        _freeze(journal.kit, repository, damaged, error)
        raise error
    if not covered.packs:
        raise RepositoryDamaged("proof.read_nothing", repository=repository)
    within = _options(journal).within
    if coverage.behind(covered, now, within):
        journal.find(
            Severity.CHANGE,
            "coverage.behind",
            repository=repository,
            oldest=covered.oldest,
            within=within,
            read=Size(work.bytes),
            bytes=Size(covered.bytes),
        )


def _tell_affected(journal: Journal) -> None:
    """Say whom the damage affects. What stands in the way of that is told as well."""
    repository = journal.run.repository
    try:
        found = damage.survey(journal.kit, journal.run.backup_set)
    except OpsdError as error:
        journal.find(Severity.NOTE, "coverage.unsurveyed", repository=repository, why=error.key)
        return
    names = [name for one in found.affected for name in one.names]
    journal.find(
        Severity.FAULT,
        "coverage.affected",
        repository=repository,
        count=len(found.points),
        points=list(found.points[:_NAMED]),
        files=sum(one.files for one in found.affected),
        names=names[:_NAMED],
    )


def _freeze(kit: Kit, repository: str, damaged: Sequence[Object], error: RepositoryDamaged) -> None:
    """Freeze the retention of every set of the repository, once for the same damage."""
    names = "\n".join(one.name for one in damaged)
    about = hashlib.sha256(names.encode()).hexdigest()[:16]
    for name, backup_set in kit.config.backup_sets.items():
        known = {(one.cause, one.about) for one in kit.store.freezes(name, ended=True)}
        if backup_set.repository == repository and (Cause.DAMAGE, about) not in known:
            keeping.freeze(kit, name, [Obstacle(Cause.DAMAGE, about, error)])
