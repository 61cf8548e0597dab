"""Base copies that hold only what changed, with a real server of PostgreSQL 17."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from opsd.demo.system import DossierSystem
from opsd.drivers import cluster
from opsd.errors import RepositoryDamaged
from opsd.model import Outcome
from opsd.tasks.wal import at_hand, fetching, planning, recovering
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.layout import DATA, PLACES
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from opsd.wal import Base
from tests.faults.telling import empty_repository
from tests.logs import guarded, held_until_now, sql, with_log
from tests.site import ROOT, SMALL, Site, workplace

SEVENTEEN = ROOT / ".tools" / "postgresql" / "usr" / "lib" / "postgresql" / "17"


@pytest.mark.timeout(900)
def test_copies_that_build_on_each_other_come_back_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with workplace() as base:
        (base / "lib").mkdir()
        (base / "lib" / "17").symlink_to(SEVENTEEN)
        monkeypatch.setattr(cluster, "_DEBIAN_ROOT", base / "lib")
        empty_repository(base / "repository")
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        system = DossierSystem(base / "system", SMALL)
        system.create()
        system.start()
        site = Site(base, system)
        place = base / "elsewhere"
        place.mkdir()
        shutil.chown(place, cluster.SERVER_ACCOUNT)
        with guarded(with_log(site, "          cache_bases: true\n")) as (kit, log, heard):
            sql(site, f"CREATE TABLESPACE more LOCATION '{place}'")
            sql(site, "CREATE TABLE moments (number int) TABLESPACE more")
            added = []
            for _ in range(3):
                sql(site, "INSERT INTO moments SELECT 1 FROM generate_series(1, 10)")
                closing = take_base(kit, log)
                assert closing.outcome is Outcome.SUCCEEDED, closing.findings
                assert not closing.findings
                told = kit.store.evidence(closing.run, "base")
                assert told
                added.append(told["bytes"])
            print("bytes of the copies:", added)
            assert max(added[1:]) < added[0] / 4
            found = bases(log, "main")
            assert [one.parent for one in found] == ["", found[0].id, found[1].id]
            sql(site, "INSERT INTO moments SELECT 9 FROM generate_series(1, 10)")
            held_until_now(heard)
            closing = replay(kit, log)
            assert closing.outcome is Outcome.PASSED, closing.findings
            target, alone = base / "back", Ways(here=False, throwaway=True)
            assert rows(planning.plan(log, Goal("now"), target, alone), alone) == 40
            # All three are at hand, and not fetched.
            (site.repository / "data").rename(site.base / "away")
            ways = Ways(throwaway=True)
            planned = planning.plan(log, Goal("now"), base / "here", ways)
            assert planned.is_at_hand
            assert rows(planned, ways) == 40
            (site.base / "away").rename(site.repository / "data")
            # What they make together is what PostgreSQL's own program makes of them.
            fetching.fetch(kit, replace(planned, target=fresh(base / "made")), durable=False)
            assert read(base / "made" / DATA) == read(combined(log, found, base / "theirs"))
            # Over what lies there, of which only what differs is written.
            over = Ways(throwaway=True, delta=True)
            goal = Goal("lsn", lsn=found[2].stop)
            before = inodes(target)
            assert rows(planning.plan(log, goal, target, over), over) == 30
            assert inodes(target) == before
            not_applied(site, log, found)


def not_applied(site: Site, log: Log, line: Sequence[Base]) -> None:
    """One that is damaged is fetched instead; one that builds on another is refused."""
    ways = Ways(throwaway=True)
    spoil(at_hand.directory(log) / line[1].id / DATA)
    planned = planning.plan(log, Goal("now"), site.base / "harmed", ways)
    assert rows(planned, ways, {"recover.at_hand_damaged"}) == 40
    gap = replace(planned, target=fresh(site.base / "gap"), at_hand=frozenset())
    with pytest.raises(RepositoryDamaged, match=line[2].id):
        fetching.fetch(log.kit, replace(gap, line=(line[0], line[2])), durable=False)


def fresh(directory: Path) -> Path:
    """A directory, made."""
    directory.mkdir()
    return directory


def combined(log: Log, line: Sequence[Base], target: Path) -> Path:
    """A line of copies at hand, as `pg_combinebackup` makes one of it."""
    parts = [at_hand.directory(log) / one.id for one in line]
    place = next((parts[-1] / PLACES).iterdir())
    subprocess.run(
        [
            SEVENTEEN / "bin" / "pg_combinebackup",
            *("--no-sync", "-o", target, "-T", f"{place}={target}.places"),
            *(one / DATA for one in parts),
        ],
        check=True,
    )
    return target


def read(data: Path) -> Mapping[str, bytes]:
    """All files of a cluster, its tablespaces too, but for the manifest."""
    found = (path for path in Path(data).rglob("*") if path.is_file())
    below = {str(path.relative_to(data)): path.read_bytes() for path in found}
    for link in (data / "pg_tblspc").iterdir():
        for path in link.resolve().rglob("*"):
            if path.is_file():
                below[f"{link.name}/{path.relative_to(link.resolve())}"] = path.read_bytes()
    below.pop("backup_manifest", None)
    return below


def spoil(data: Path) -> None:
    """Change the end of a file that holds what changed."""
    path = max(data.rglob("INCREMENTAL.*"), key=lambda one: one.stat().st_size)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def inodes(target: Path) -> Mapping[str, int]:
    """Which files of tables that every cluster has lie there."""
    below = target / DATA / "base" / "1"
    return {path.name: path.stat().st_ino for path in below.glob("[0-9]*")}


def rows(planned: planning.Planned, ways: Ways, told: Collection[str] = ()) -> int:
    """How many rows there are, as recovered, and nothing else is told."""
    assert len(planned.line) == 3
    log = planned.log
    with (
        recovering.recovered(log.kit, planned, ways) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good
        assert {finding.key for finding in done.findings} == set(told)
        place = connection.execute(
            "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'more'"
        ).fetchall()[0][0]
        assert Path(place).is_relative_to(planned.target)
        return int(connection.execute("SELECT count(*) FROM moments").fetchall()[0][0])
