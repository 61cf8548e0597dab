"""Look at everything that a backup, a proof and a restore will need. Changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.config import ground
from opsd.config.command import CommandMember
from opsd.config.mariadb import MariadbMember
from opsd.config.schema import FilesMember, PostgresMember
from opsd.drivers import cluster, lock, process, restic, system
from opsd.errors import OpsdError
from opsd.model import Status
from opsd.policy import diagnosis
from opsd.policy.diagnosis import DatabaseFacts, Diagnosis, PlaceFacts, RepositoryFacts
from opsd.policy.preflight import ClockFacts
from opsd.tasks import shelf
from opsd.tasks.ground import booted, booted_before
from opsd.tasks.kit import TAG, Kit
from opsd.tasks.members import command, files, mariadb
from opsd.tasks.status import unclosed
from opsd.tasks.sweep import leftovers

_PROGRAMS = ("setpriv", "prlimit", "nice", "ionice")
_CAP_DAC_READ_SEARCH = 1 << 2  # capabilities(7)
_QUICK = timedelta(seconds=10)


def examine(kit: Kit) -> Iterator[Diagnosis]:
    """Every diagnosis, as it is made."""
    yield from _programs(kit)
    yield from _configuration(kit)
    databases: dict[str, DatabaseFacts] = {}
    for set_name, backup_set in kit.config.backup_sets.items():
        for name, member in backup_set.ordered:
            subject = f"{set_name}.{name}"
            kit.watcher.phase("doctor", subject)
            match member:
                case PostgresMember():
                    yield from _database(kit, subject, member, databases)
                    receivers = member.wal.receivers.values() if member.wal else ()
                    yield from _received(subject, (one.directory for one in receivers))
                case MariadbMember():
                    yield _mariadb(kit, subject, member)
                    streamed = [member.binlog] if member.binlog else []
                    yield from _received(subject, (one.directory for one in streamed))
                case CommandMember():
                    yield _command(subject, member)
                case FilesMember():
                    yield _tree(subject, member)
    yield diagnosis.judge_reader(reads_all=_reads_all())
    yield from _scratch(kit, sum(facts.bytes for facts in databases.values()))
    yield from diagnosis.judge_clock(_clock(kit, databases))
    for name in kit.config.repositories:
        kit.watcher.phase("doctor", name)
        yield from _repository(kit, name)
    _, dead = unclosed(kit)
    yield from diagnosis.judge_leftovers(leftovers(kit), tuple(run.id for run in dead))


def _programs(kit: Kit) -> Iterator[Diagnosis]:
    try:
        yield diagnosis.judge_restic(restic.version(kit.config.restic), restic.MINIMUM)
    except OpsdError as error:
        yield diagnosis.of_error("restic", error)
    missing = tuple(program for program in _PROGRAMS if shutil.which(program) is None)
    yield diagnosis.judge_programs(missing)


def _configuration(kit: Kit) -> Iterator[Diagnosis]:
    """Secrets that lie open, copies beside their source."""
    mistakes = ground.examine(kit.config)
    for mistake in mistakes:
        yield Diagnosis(Status.CRITICAL, mistake.path, mistake.key, mistake.fields)
    if not mistakes:
        yield Diagnosis(Status.OK, "config", "doctor.config")
    if kit.config.demo:
        yield Diagnosis(Status.WARNING, "config", "doctor.demo")


def _database(
    kit: Kit, subject: str, member: PostgresMember, known: dict[str, DatabaseFacts]
) -> Iterator[Diagnosis]:
    try:
        facts = known[subject] = _ask(kit, member)
        yield from diagnosis.judge_database(subject, facts)
        cluster.binaries(facts.version // 10000)
    except OpsdError as error:
        yield diagnosis.of_error(subject, error)


def _ask(kit: Kit, member: PostgresMember) -> DatabaseFacts:
    with kit.database(member).connect() as connection:
        asked = kit.clock()
        server = connection.facts()
        answered = kit.clock()
        return DatabaseFacts(
            version=server.version,
            bytes=server.bytes,
            superuser=server.superuser,
            forbidden=connection.forbidden(),
            ahead=asked + (answered - asked) / 2 - server.clock,
        )


def _mariadb(kit: Kit, subject: str, member: MariadbMember) -> Diagnosis:
    try:
        facts = mariadb.observe(kit, member).facts
    except OpsdError as error:
        return diagnosis.of_error(subject, error)
    return diagnosis.judge_mariadb(subject, facts.version, facts.bytes, logs=facts.logs)


def _received(subject: str, directories: Iterable[Path | None]) -> Iterator[Diagnosis]:
    """Whether the log can be received where it shall be; a receiver elsewhere has no directory."""
    for directory in filter(None, directories):
        fields: dict[str, object]
        if place := system.barred(directory):
            fields = {"target": directory, "place": place, "account": system.user()}
            yield Diagnosis(Status.CRITICAL, subject, "target.barred", fields)
        else:
            fields = {"path": directory, "free": Size(system.space(directory).free)}
            yield Diagnosis(Status.OK, subject, "doctor.receiver", fields)


def _command(subject: str, member: CommandMember) -> Diagnosis:
    try:
        command.observe(member)
    except OpsdError as error:
        return diagnosis.of_error(subject, error)
    return Diagnosis(Status.OK, subject, "doctor.command", {"program": member.produce.argv[0]})


def _tree(subject: str, member: FilesMember) -> Diagnosis:
    try:
        files.observe(member)
    except OpsdError as error:
        return diagnosis.of_error(subject, error)
    return Diagnosis(Status.OK, subject, "doctor.tree", {"path": member.path})


def _scratch(kit: Kit, dumps: int) -> Iterator[Diagnosis]:
    """Room for all dumps at once, and a way in for the account of throwaway servers."""
    place = kit.config.scratch
    yield diagnosis.judge_place("scratch", PlaceFacts(place, system.space(place).free, dumps))
    if place.is_dir() and os.geteuid() == 0 and not _crossable(place):
        fields = {"path": place, "account": cluster.SERVER_ACCOUNT}
        yield Diagnosis(Status.CRITICAL, "scratch", "doctor.not_crossable", fields)


def _crossable(place: Path) -> bool:
    """Whether the account of PostgreSQL gets through, asked as that account: ACLs count too."""
    command = process.Command(("test", "-x", str(place)), _QUICK, user=cluster.SERVER_ACCOUNT)
    return process.run(command).exit_code == 0


def _reads_all() -> bool:
    """Whether the kernel lets this process read whatever lies there."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    line = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(line.split()[1], 16) & _CAP_DAC_READ_SEARCH)


def _clock(kit: Kit, databases: dict[str, DatabaseFacts]) -> ClockFacts:
    return ClockFacts(
        max_offset=kit.config.clock.max_offset,
        synchronised=system.clock_synchronised(),
        sync_required=kit.config.sync_required,
        offsets={name: facts.ahead for name, facts in databases.items()},
        booted=booted(kit),
        before=booted_before(kit),
    )


def _repository(kit: Kit, name: str) -> Iterator[Diagnosis]:
    points = kit.store.points_in(name)
    try:
        kit.reach(name)
        door = kit.restic(name)
        listed = door.snapshots(TAG)
        present = {snapshot.id for snapshot in listed}
        shelf.insist_on_snapshots(name, points, present)
        found: RepositoryFacts | OpsdError = RepositoryFacts(
            snapshots=len(listed),
            locks=len(door.locks()),
            busy=lock.held(kit.config.state / "locks" / f"{name}.lock"),
        )
    except OpsdError as error:
        found = error
    yield from diagnosis.judge_repository(name, found, len(points))
    repository = kit.config.repositories[name]
    if repository.path is not None:
        free = system.space(repository.path).free
        place = PlaceFacts(repository.path, free, 0, repository.min_free)
        yield diagnosis.judge_place(name, place)
