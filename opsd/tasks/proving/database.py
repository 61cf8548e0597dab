"""Load a dump into a throwaway cluster and ask it for what the manifest says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from opsd.catalogue import Size
from opsd.clock import Stopwatch
from opsd.config.schema import PostgresMember
from opsd.drivers import cluster, pgtools
from opsd.drivers.postgres import Database, TableShape
from opsd.drivers.restic import Piece
from opsd.errors import DatabaseFailed, ToolFailed
from opsd.manifest import Named
from opsd.model import DatabaseManifest, Finding, MemberSnapshot, Severity
from opsd.policy import comparison
from opsd.tasks.beside import beside
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.members.postgres import large_objects_digest, read_manifest
from opsd.tasks.proving.bench import Bench


@dataclass(frozen=True, slots=True)
class Loaded:
    """A member's database, loaded into a throwaway server."""

    bench: Bench
    member: MemberSnapshot
    database: Database
    jobs: int

    @property
    def at(self) -> datetime:
        """The moment of the dump."""
        return read_manifest(self.bench.record / f"{self.member.member}.{MANIFEST}").at

    def compare(self) -> None:
        """Hold it against its manifest and the invariants."""
        compare(self.bench, self.member, self.database, self.jobs)
        judge_invariants(self.bench, self.member.member, self.database)

    @contextmanager
    def named_files(self, query: str) -> Iterator[Iterator[Named]]:
        """The files that `query` names, in the byte order of their paths."""
        left, stop = self.bench.insist_on_time(), self.bench.kit.stop
        with (
            self.database.connect() as connection,
            closing(connection.named_files(query, left, stop)) as rows,
        ):
            yield rows

    def finish(self) -> None:
        """Take a row away, and see that it is missed; then what belongs to the database itself."""
        canary(self.bench, self.member, self.database)
        judge_properties(self.bench, self.member, self.database)


Digests = dict[tuple[str, str], tuple[int, str]]  # rows and digest by schema and table

_NAME = "restored"
_SUPERUSER = "opsd_prover"  # no role of a source, so that its globals cannot take our rights
_NICENESS = 10
# What clients are told when the server goes away; it may not be dead yet at that moment.
_CUT_OFF = re.compile(
    r"server closed the connection|terminating connection|[Cc]onnection refused|"
    r"the database system is (starting up|shutting down|in recovery mode)|lost synchronization"
)
_LIMITS = ("--core=0", "--as=8589934592")  # per process: no core dumps, 8 GiB of addresses


@contextmanager
def restored(bench: Bench, member: MemberSnapshot) -> Iterator[Loaded]:
    """The member's database as restored, in a cluster that ends with this block."""
    jobs = jobs_of(bench, member.member)
    manifest = read_manifest(bench.record / f"{member.member}.{MANIFEST}")
    home = bench.scratch / member.member
    server = _cluster(bench, manifest, member.member)
    try:
        with beside(bench.kit) as side:
            side.start(lambda kit: _fetch(bench.on(kit), member, home))
            with bench.journal.phase("load", member.member):
                server.create()
                server.start()
        with _blaming(server):
            database = Database(server.connection(_NAME))
            with bench.journal.phase("load", member.member):
                _load(bench, server, manifest, home / pgtools.DUMP, jobs)
            yield Loaded(bench, member, database, jobs)
    finally:
        server.stop()


def compare(bench: Bench, member: MemberSnapshot, database: Database, jobs: int) -> None:
    """Tables, sequences, extensions and large objects against the manifest."""
    manifest = read_manifest(bench.record / f"{member.member}.{MANIFEST}")
    findings, digests = judged(_programs(bench, manifest), database, manifest, jobs)
    bench.journal.findings += findings
    bench.add({"tables": len(digests), "rows": sum(rows for rows, _ in digests.values())})
    bench.figures["database_bytes"] = Size(manifest.bytes)


def judged(
    programs: pgtools.Programs, database: Database, manifest: DatabaseManifest, jobs: int
) -> tuple[tuple[Finding, ...], Digests]:
    """Compare a restored database with the manifest in all that it tells."""
    watch = Stopwatch()
    with database.connect() as connection:
        shapes = [s for s in connection.tables() if not s.of_extension or _listed(manifest, s)]
        digests = copied_digests(programs, database, manifest, shapes, jobs)
        facts = connection.facts()
        left = programs.timeout - watch.elapsed()
        objects = large_objects_digest(connection.large_objects(left, programs.stop))
        findings = (
            *comparison.judge_tables(manifest, digests),
            *comparison.judge_sequences(manifest, connection.sequences()),
            *comparison.judge_large_objects(manifest, *objects),
            *comparison.judge_named(
                "extensions", _bare(manifest.extensions), _bare(facts.extensions)
            ),
            *comparison.judge_named("roles", manifest.roles, facts.roles),
        )
    return findings, digests


def canary(bench: Bench, member: MemberSnapshot, database: Database) -> None:
    """Take one row from the smallest table that has any: do the figures change?"""
    manifest = read_manifest(bench.record / f"{member.member}.{MANIFEST}")
    filled = [table for table in manifest.tables if table.rows]
    if not filled:
        bench.journal.findings.append(
            Finding(Severity.FAULT, "proof.no_rows", {"member": member.member})
        )
        return
    chosen = min(filled, key=lambda table: table.rows)
    programs = _programs(bench, manifest)
    with database.connect() as connection:
        shape = next(
            s for s in connection.tables() if (s.schema, s.name) == (chosen.schema, chosen.name)
        )
        connection.drop_one_row(shape)
        digests = copied_digests(programs, database, manifest, [shape], 1)
    caught = (chosen.rows, chosen.digest) != digests[chosen.schema, chosen.name]
    bench.canary(f"database:{member.member}", caught=caught)


def judge_properties(bench: Bench, member: MemberSnapshot, database: Database) -> None:
    """Owner, grants and settings of the database itself: last, for they bind who comes after."""
    manifest = read_manifest(bench.record / f"{member.member}.{MANIFEST}")
    dump = bench.scratch / member.member / pgtools.DUMP
    found = with_properties(_programs(bench, manifest), database, manifest, dump)
    bench.journal.findings += found


def with_properties(
    programs: pgtools.Programs, database: Database, manifest: DatabaseManifest, dump: Path
) -> tuple[Finding, ...]:
    """Bring them from the dump to a restored database, and compare them."""
    with database.connect() as connection:
        name = connection.facts().database
        programs.restore_properties(dump, name, database.connection)
        return comparison.judge_properties(manifest, connection.properties())


def judge_invariants(bench: Bench, name: str, database: Database) -> None:
    """What the configuration says must hold."""
    with database.connect() as connection:
        judge_asked(
            bench,
            name,
            lambda query: connection.violations(query, bench.insist_on_time(), bench.kit.stop),
        )


def judge_asked(bench: Bench, name: str, violations: Callable[[str], int]) -> None:
    """Ask each invariant of a member of whoever tells how many rows offend."""
    asked = [i for i in bench.backup_set.prove.invariants if i.member == name]
    for invariant in asked:
        if offending := violations(invariant.query):
            bench.journal.find(
                Severity.FAULT, "proof.invariant_broken", name=invariant.name, rows=offending
            )
    bench.add({"invariants": len(asked)})


def jobs_of(bench: Bench, name: str) -> int:
    """How many tables at a time, as the configuration says for this member."""
    member = bench.backup_set.members.get(name)
    return member.jobs if isinstance(member, PostgresMember) else 2


def _fetch(bench: Bench, member: MemberSnapshot, home: Path) -> None:
    with bench.journal.phase("fetch", member.member):
        bench.fetch(member.member, Piece(member.snapshot, member.root, home))


def _cluster(bench: Bench, manifest: DatabaseManifest, name: str) -> cluster.Cluster:
    return cluster.Cluster(
        bench.scratch / f"{name}.cluster",
        manifest.server_version // 10000,
        cluster.THROWAWAY,
        encoding=manifest.encoding,
        limits=_LIMITS,
        niceness=_NICENESS,
        superuser=_SUPERUSER,
    )


def _load(
    bench: Bench, server: cluster.Cluster, manifest: DatabaseManifest, dump: Path, jobs: int
) -> None:
    programs = _programs(bench, manifest)
    programs.execute(server.connection(), f'CREATE DATABASE "{_NAME}" TEMPLATE template0')
    programs.restore_roles(dump.with_name(pgtools.GLOBALS), server.connection())
    programs.restore(dump, server.connection(_NAME), jobs, owners=True)


def _programs(bench: Bench, manifest: DatabaseManifest) -> pgtools.Programs:
    directory = cluster.binaries(manifest.server_version // 10000)
    return pgtools.Programs(directory, Database("").env, bench.limits.work, bench.kit.stop)


def copied_digests(
    programs: pgtools.Programs,
    database: Database,
    manifest: DatabaseManifest,
    shapes: list[TableShape],
    jobs: int,
) -> Digests:
    """Rows and digest of each table, asked from a restored database; all in the programs' time."""
    watch = Stopwatch()

    def digest(shape: TableShape) -> tuple[int, str]:
        left = replace(programs, timeout=programs.timeout - watch.elapsed())
        encoding, hashing = manifest.encoding, manifest.hashing
        return left.copied_digest(database.connection, encoding, shape.copy, hashing)

    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(digest, shapes)
        return {(s.schema, s.name): f for s, f in zip(shapes, found, strict=True)}


def _listed(manifest: DatabaseManifest, shape: TableShape) -> bool:
    return any((t.schema, t.name) == (shape.schema, shape.name) for t in manifest.tables)


def _bare(extensions: tuple[str, ...]) -> list[str]:
    """Extensions without their versions: a restore takes the version that is installed."""
    return [extension.split(" ")[0] for extension in extensions]


@contextmanager
def _blaming(server: cluster.Cluster) -> Iterator[None]:
    """A throwaway server that died says nothing about the recovery point."""
    try:
        yield
    except (DatabaseFailed, ToolFailed) as error:
        if not server.alive or _CUT_OFF.search(error.detail):
            raise ToolFailed("proof.server_died", detail=str(error)) from error
        if error.key == "database.unreachable":
            raise ToolFailed("proof.server_failed", detail=error.detail) from error
        raise
