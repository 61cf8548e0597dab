"""Base copies that hold only what changed, with a real server of PostgreSQL 17."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsd.demo.system import DossierSystem
from opsd.drivers import cluster
from opsd.drivers.postgres.arriving import Arriving, Entry, arriving
from opsd.errors import RepositoryDamaged
from opsd.extents import UNKNOWN, ExtentMap
from opsd.model import Outcome
from opsd.tasks.wal import at_hand, fetching, planning, recovering, taking
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.copies import open_copies
from opsd.tasks.wal.layout import DATA, MANIFEST, PLACES, place_of, settle_places
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from opsd.wal import Base
from tests.faults.telling import empty_repository
from tests.logs import Heard, guarded, held_until_now, spoil, sql, with_far, with_log
from tests.site import ROOT, SMALL, Site, workplace

SEVENTEEN = ROOT / ".tools" / "postgresql" / "usr" / "lib" / "postgresql" / "17"


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory, on a machine that has PostgreSQL 17."""
    with workplace() as base:
        (base / "lib").mkdir()
        (base / "lib" / "17").symlink_to(SEVENTEEN)
        monkeypatch.setattr(cluster, "_DEBIAN_ROOT", base / "lib")
        yield base


def test_what_was_seen_of_in_pages_is_known_by_the_piece(base: Path) -> None:
    site = site_in(base)
    with guarded(with_far(site)) as (kit, log, _):
        sql(site, "CREATE TABLE moments AS SELECT generate_series(1, 100000) AS number")
        for _ in range(2):
            sql(
                site,
                "UPDATE moments SET number = 0 WHERE number = (SELECT max(number) FROM moments)",
            )
            assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        for repository in ("main", "far"):
            newest = bases(log, repository)[-1]
            assert newest.parent
            files = open_copies(log, repository).map(newest.id).files.values()
            assert not any(UNKNOWN in file.digests for file in files)
        # What cannot be read back is no copy there, nor is one built on its like.
        packs = (site.repository / "opsd-objects" / "packs" / log.subject).rglob("0*")
        spoil(max(packs, key=lambda path: path.stat().st_size))
        sql(site, "UPDATE moments SET number = 0 WHERE number = (SELECT max(number) FROM moments)")
        with pytest.raises(RepositoryDamaged):
            take_base(kit, log)
        assert [len(bases(log, repository)) for repository in ("main", "far")] == [2, 3]
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        assert [bases(log, repository)[-1].parent for repository in ("main", "far")] == ["", ""]


@pytest.mark.timeout(900)
def test_copies_that_build_on_each_other_come_back_as_one(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_in(base)
    place = base / "elsewhere"
    place.mkdir()
    shutil.chown(place, cluster.SERVER_ACCOUNT)
    with guarded(with_log(site, "          cache_bases: true\n")) as (kit, log, heard):
        sql(site, f"CREATE TABLESPACE more LOCATION '{place}'")
        sql(site, "CREATE TABLE moments (number int) TABLESPACE more")
        added, homes = [], base / "homes"
        homes.mkdir()
        with monkeypatch.context() as seen:
            seen.setattr(taking, "arriving", kept_aside(arriving, homes))
            for _ in range(3):
                sql(site, "INSERT INTO moments SELECT 1 FROM generate_series(1, 10)")
                closing = take_base(kit, log)
                assert closing.outcome is Outcome.SUCCEEDED, closing.findings
                assert not closing.findings
                told = kit.store.evidence(closing.run, "base")
                assert told
                added.append(told["added_bytes"])
        print("bytes that copies added:", added)
        assert max(added[1:]) < added[0] / 4
        found = bases(log, "main")
        assert [one.parent for one in found] == ["", found[0].id, found[1].id]
        sql(site, "INSERT INTO moments SELECT 9 FROM generate_series(1, 10)")
        held_until_now(heard)
        closing = replay(kit, log)
        assert closing.outcome is Outcome.PASSED, closing.findings
        target, alone = base / "back", Ways(here=False, throwaway=True)
        assert rows(planning.plan(log, Goal("now"), target, alone), alone) == 40
        # What lies at hand became the newest, and nothing is fetched.
        ways = Ways(throwaway=True)
        planned = planning.plan(log, Goal("now"), base / "here", ways)
        assert planned.at_hand
        with without_packs(site):
            assert rows(planned, ways) == 40
        # Both are what PostgreSQL's own program makes of the three.
        theirs = read(combined(homes, base / "theirs"))
        for name, at_hand_too in (("near", True), ("far", False)):
            mine = replace(planned, target=fresh(base / name), at_hand=at_hand_too)
            fetching.fetch(kit, mine, proof=True)
            assert read(base / name / DATA) == theirs
        # What is there is known by the digests that the cache told the repository.
        with without_packs(site):
            fetching.fetch(kit, mine, proof=True)
        # Over what lies there, of which only what differs is written.
        over = Ways(throwaway=True, delta=True)
        goal = Goal("lsn", lsn=found[2].stop)
        before = inodes(target)
        assert rows(planning.plan(log, goal, target, over), over) == 30
        assert inodes(target) == before
        damage_at_hand_gets_no_new_digest(site, log)
        damage_on_the_way_gets_no_digest(site, log, heard, monkeypatch)


def site_in(base: Path) -> Site:
    """A dossier system with a repository, in an empty directory."""
    empty_repository(base / "repository")
    (base / "password").write_text("only for tests\n")
    (base / "password").chmod(0o600)
    system = DossierSystem(base / "system", SMALL)
    system.create()
    system.start()
    return Site(base, system)


@contextmanager
def without_packs(site: Site) -> Iterator[None]:
    """The packs of the repository are elsewhere meanwhile."""
    packs, away = site.repository / "opsd-objects" / "packs", site.base / "away"
    packs.rename(away)
    yield
    away.rename(packs)


def kept_aside(
    come: Callable[..., AbstractContextManager[Arriving]], homes: Path
) -> Callable[..., AbstractContextManager[Aside]]:
    """What comes from the server lies there too, as it came."""

    @contextmanager
    def keep(*of_it: Any) -> Iterator[Aside]:
        with come(*of_it) as coming:
            yield Aside(coming, homes / str(len(list(homes.iterdir()))))

    return keep


class Aside:
    """What comes, written below a directory as well."""

    def __init__(self, coming: Arriving, home: Path) -> None:
        self._coming, self._home = coming, home
        (home / PLACES).mkdir(parents=True)
        self._file = home / "none"

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._coming:
            self._file = self._home / place_of(entry.path)
            if entry.size is None:
                self._file.mkdir(exist_ok=True)
            else:
                self._file.touch()
            yield entry
        (self._home / DATA / MANIFEST).write_bytes(self.manifest)
        settle_places(self._home)

    @property
    def manifest(self) -> bytes:
        """The server's."""
        return self._coming.manifest

    def fill(self, place: memoryview) -> None:
        """Give the next bytes, and keep them."""
        self._coming.fill(place)
        with self._file.open("ab") as file:
            file.write(place)


def damage_at_hand_gets_no_new_digest(site: Site, log: Log) -> None:
    """What the disk of the cache altered is not taken for what the server changed."""
    (place,) = (one for one in at_hand.directory(log).iterdir() if one.is_dir())
    sql(site, "UPDATE moments SET number = number + 1")
    spoil(place / DATA / relation(site))
    closing = take_base(log.kit, log)
    assert closing.outcome is Outcome.SUCCEEDED
    assert not closing.findings
    ways = Ways(throwaway=True)
    planned = planning.plan(log, Goal("now"), site.base / "healed", ways)
    assert planned.at_hand
    assert rows(planned, ways) == 40


def damage_on_the_way_gets_no_digest(
    site: Site, log: Log, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk of the cache altered of what came is not taken for what the server sent."""
    keep = at_hand.keep

    def spoiling(of: Log, base: Base, beside: at_hand.Beside, *rest: Any) -> ExtentMap:
        came = beside.home.rglob("INCREMENTAL.*")
        spoil(max(came, key=lambda path: path.stat().st_size))
        return keep(of, base, beside, *rest)

    with monkeypatch.context() as harmed:
        harmed.setattr(at_hand, "keep", spoiling)
        sql(site, "UPDATE moments SET number = number + 1")
        closing = take_base(log.kit, log)
    assert closing.outcome is Outcome.SUCCEEDED
    assert not closing.findings
    held_until_now(heard)
    alone = Ways(here=False, throwaway=True)
    assert rows(planning.plan(log, Goal("now"), site.base / "unharmed", alone), alone) == 40


def relation(site: Site) -> str:
    """Where the rows lie."""
    return sql(site, "SELECT pg_relation_filepath('moments')")[0][0]


def fresh(directory: Path) -> Path:
    """A directory, made."""
    directory.mkdir()
    return directory


def combined(homes: Path, target: Path) -> Path:
    """A line of copies as `pg_combinebackup` makes one of it."""
    parts = sorted(homes.iterdir())
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


def inodes(target: Path) -> Mapping[str, int]:
    """Which files of tables that every cluster has lie there."""
    below = target / DATA / "base" / "1"
    return {path.name: path.stat().st_ino for path in below.glob("[0-9]*")}


def rows(planned: planning.Planned, ways: Ways, told: Collection[str] = ()) -> int:
    """How many rows there are, as recovered, and nothing else is told."""
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
