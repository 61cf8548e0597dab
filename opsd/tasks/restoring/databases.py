"""A PostgreSQL database brought back for a person."""

from __future__ import annotations

from pathlib import Path

from opsd.drivers import cluster, pgtools
from opsd.drivers.postgres import Database
from opsd.errors import Refused, ToolFailed
from opsd.model import DatabaseManifest, Finding, Severity
from opsd.policy import comparison
from opsd.tasks.members import postgres
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.proving.database import judged, with_properties
from opsd.tasks.restoring.terms import LIMIT, Door, Plan, Request, Restored, Step, fetch


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the dump and verify its files; load it where a database was named, and verify that."""
    source = postgres.read_manifest(record / f"{step.member.member}.{MANIFEST}")
    fetch(door, step, None, done)
    dump = step.target / pgtools.DUMP
    done.bytes += sum(f.stat().st_size for f in dump.iterdir())
    door.watcher.phase("verify", step.member.member)
    try:
        dumped = _programs(door, source).table_files(dump)
    except ToolFailed as missing:
        fields = {"member": step.member.member}
        done.findings.append(Finding(Severity.CHANGE, "restore.unverified", fields, str(missing)))
        return
    found = {}
    for table in source.tables:
        file = dumped.get(table.oid)
        if file is not None and file.exists():
            found[table.schema, table.name] = pgtools.dumped_digest(file, source.hashing)
    done.findings += comparison.judge_tables(source, found)
    done.tables += len(found)
    done.rows += sum(rows for rows, _ in found.values())
    if wanted.request.load_into is not None and done.good:
        done.findings += _load(door, wanted.request, source, dump)


def _load(door: Door, request: Request, source: DatabaseManifest, dump: Path) -> list[Finding]:
    """Load the dump into the empty database that was named, and compare it."""
    database = Database(request.load_into or "", request.passfile)
    with database.connect() as connection:
        facts = connection.facts()
        live = (facts.system_identifier, facts.database)
        if live == (source.system_identifier, source.database) and not request.over_live_source:
            raise Refused("restore.live_database", database=facts.database)
        if not connection.is_empty():
            raise Refused("restore.database_used", database=facts.database)
    door.watcher.phase("load")
    programs = _programs(door, source, database)
    if facts.superuser:
        programs.restore_roles(dump.with_name(pgtools.GLOBALS), database.connection)
    programs.restore(dump, database.connection, door.jobs, owners=facts.superuser)
    door.watcher.phase("compare")
    findings, _ = judged(programs, database, source, door.jobs)
    if facts.superuser:
        return [*findings, *with_properties(programs, database, source, dump)]
    # Roles were not asked for here, so that their lack is told once, with what it means.
    others = (found for found in findings if found.key != "proof.roles_missing")
    return [Finding(Severity.CHANGE, "restore.no_owners"), *others]


def _programs(
    door: Door, source: DatabaseManifest, database: Database | None = None
) -> pgtools.Programs:
    directory = cluster.binaries(source.server_version // 10000)
    return pgtools.Programs(directory, (database or Database("")).env, LIMIT, door.stop)
