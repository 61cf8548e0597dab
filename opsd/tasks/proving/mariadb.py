"""Load a dump of MariaDB's into a throwaway server and ask it for what the manifest says."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.contents import MariadbManifest
from opsd.drivers import tree
from opsd.drivers.mariadb import ACCOUNTS, DUMP, Database
from opsd.drivers.mariadb.server import THROWAWAY, Server
from opsd.drivers.restic import Piece
from opsd.errors import DatabaseFailed, RepositoryDamaged, ToolFailed
from opsd.manifest import Named
from opsd.model import Finding, MemberSnapshot, Severity
from opsd.policy import comparison
from opsd.tasks.beside import beside
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.members.mariadb import read_manifest
from opsd.tasks.proving.bench import Bench
from opsd.tasks.proving.database import judge_asked

_NICENESS = 10
_LIMITS = ("--core=0", "--as=8589934592")  # per process: no core dumps, 8 GiB of addresses


@dataclass(frozen=True, slots=True)
class Loaded:
    """A member's database, loaded into a throwaway server."""

    bench: Bench
    name: str
    database: Database
    manifest: MariadbManifest

    @property
    def at(self) -> datetime:
        """The moment of the dump."""
        return self.manifest.at

    def compare(self) -> None:
        """Hold it against its manifest and the invariants."""
        bench = self.bench
        findings, rows = judged(self.database, self.manifest, bench.limits.work)
        bench.journal.findings += findings
        bench.add({"tables": len(self.manifest.tables), "rows": rows})
        bench.figures["database_bytes"] = Size(self.manifest.bytes)
        judge_asked(
            bench, self.name, lambda query: self.database.violations(query, bench.limits.work)
        )

    def named_files(self, query: str) -> AbstractContextManager[Iterator[Named]]:
        """The files that `query` names, in the byte order of their paths."""
        return nullcontext(self.database.named_files(query, self.bench.limits.work))

    def finish(self) -> None:
        """Take a row away: is it missed?"""
        filled = [table for table in self.manifest.tables if table.rows]
        if not filled:
            self.bench.journal.find(Severity.FAULT, "proof.no_rows", member=self.name)
            return
        chosen = min(filled, key=lambda table: table.rows)
        shape = next(s for s in self.database.shapes() if s.name == chosen.name)
        self.database.drop_one_row(shape)
        seen = self.database.counted((shape,), self.bench.limits.work)[chosen.name]
        self.bench.canary(f"database:{self.name}", caught=seen != (chosen.rows, chosen.digest))


@contextmanager
def restored(bench: Bench, member: MemberSnapshot) -> Iterator[Loaded]:
    """The member's database as restored, in a server that ends with this block."""
    name = member.member
    manifest = read_manifest(bench.record / f"{name}.{MANIFEST}")
    home = bench.scratch / name
    server = Server(bench.scratch / f"{name}.server", THROWAWAY, limits=_LIMITS, niceness=_NICENESS)
    try:
        with beside(bench.kit) as side:
            side.start(lambda kit: _fetch(bench.on(kit), member, home))
            with bench.journal.phase("load", name):
                server.create()
                server.start()
        if wrong := judge_files(manifest, home):
            raise RepositoryDamaged("proof.fetch_failed", member=name, detail=", ".join(wrong))
        with _blaming(server):
            with bench.journal.phase("load", name):
                database = server.make(manifest.database, manifest.charset)
                database.load(home / ACCOUNTS, bench.limits.work)
                database.load(home / DUMP, bench.limits.work)
            yield Loaded(bench, name, database, manifest)
    finally:
        server.stop(signal.SIGKILL)


def judged(
    database: Database, manifest: MariadbManifest, limit: timedelta
) -> tuple[tuple[Finding, ...], int]:
    """Compare a restored database with the manifest in all that it tells; and count its rows."""
    shapes = database.shapes()
    counted = {("", name): found for name, found in database.counted(shapes, limit).items()}
    sequences = {("", name): value for name, value in database.sequences().items()}
    findings = (
        *comparison.judge_tables(manifest, counted),
        *comparison.judge_sequences(manifest, sequences),
        *comparison.judge_named("objects", manifest.objects, database.objects()),
    )
    return findings, sum(rows for rows, _ in counted.values())


def judge_files(manifest: MariadbManifest, home: Path) -> list[str]:
    """The files of the dump that are not what was written."""
    return [
        file.path
        for file in manifest.files
        if not (home / file.path).is_file() or tree.digest(home / file.path) != file.sha256
    ]


def _fetch(bench: Bench, member: MemberSnapshot, home: Path) -> None:
    with bench.journal.phase("fetch", member.member):
        bench.fetch(member.member, Piece(member.snapshot, member.root, home))


@contextmanager
def _blaming(server: Server) -> Iterator[None]:
    """A throwaway server that died says nothing about the recovery point."""
    try:
        yield
    except DatabaseFailed as error:
        if not server.alive or error.key == "mariadb.unreachable":
            raise ToolFailed("proof.server_died", detail=str(error)) from error
        raise
