"""A base copy at hand in the cache: a recovery takes it from there, and does without it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from opsd.drivers import cluster, lock, system
from opsd.drivers.pieces import Writing
from opsd.errors import OpsdError
from opsd.model import Closing, Outcome
from opsd.tasks.wal import at_hand, planning, recovering
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import guarded, held_until_now, sql, with_log
from tests.site import Site

KEPT = "          cache_bases: true\n"
HERE = Ways(throwaway=True)
OVER = Ways(throwaway=True, delta=True)
UNUSABLE = {"base.not_at_hand"}


def test_a_recovery_takes_what_is_at_hand_and_fetches_what_is_not_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = site.base / "elsewhere"
    elsewhere.mkdir()
    shutil.chown(elsewhere, cluster.SERVER_ACCOUNT)
    with guarded(with_log(site, KEPT)) as (kit, log, heard):
        sql(site, f"CREATE TABLESPACE more LOCATION '{elsewhere}'")
        sql(site, "CREATE TABLE moments (number int) TABLESPACE more")
        for _ in range(2):
            assert keys(take_base(kit, log)) == set()
        newest = bases(log, "main")[-1]
        place = at_hand.directory(log)
        there = {one.name for one in place.iterdir() if one.is_dir()}
        assert there == {newest.id}
        assert place.stat().st_mode & 0o077 == 0
        sql(site, "INSERT INTO moments SELECT generate_series(1, 10)")
        held_until_now(heard)

        # Nothing can be fetched, and the base copy comes back all the same; it stays as it was.
        stored = site.repository / "opsd-objects" / "packs"
        stored.rename(site.base / "away")
        planned = planning.plan(log, Goal("now"), site.base / "back", HERE)
        assert planned.at_hand
        assert recovered(planned) == set()
        assert log.programs(cluster.newest()).verify(place / newest.id / DATA) == ""
        # Over a cluster that lies there only what differs is written.
        again = planning.plan(log, Goal("now"), site.base / "back", OVER)
        assert again.at_hand
        before = rows_of(planned.target)
        assert recovered(again, OVER) == set()
        assert rows_of(planned.target) == before
        (site.base / "away").rename(stored)

        # Another recovery reads it: this one fetches. So does one from the repository alone.
        with lock.lease(place / "lease", "another"):
            assert recovered(planning.plan(log, Goal("now"), site.base / "two", HERE)) == set()
            monkeypatch.setattr(at_hand, "_PATIENCE", timedelta())
            assert keys(take_base(kit, log)) == UNUSABLE
        held_until_now(heard)
        alone = Ways(here=False, throwaway=True)
        assert not planning.plan(log, Goal("now"), site.base / "three", alone).at_hand

        assert keys(take_base(kit, log)) == set()
        _harmed(site, log, place)

        # A cache that cannot take it keeps no night from succeeding.
        shutil.rmtree(place)
        place.write_text("no directory")
        assert keys(take_base(kit, log)) == UNUSABLE
        place.unlink()
        assert keys(take_base(kit, log)) == set()
        assert place.exists()
        unwanted = log.wal.model_copy(update={"cache_bases": False})
        assert keys(take_base(kit, replace(log, wal=unwanted))) == set()
        assert not place.exists()


@pytest.mark.parametrize("at", ["begin", "amid"])
def test_a_cache_that_is_full_keeps_a_copy_from_no_repository(
    site: Site, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    with guarded(with_log(site, KEPT)) as (kit, log, heard):
        with psycopg.connect(site.system.connection, autocommit=True) as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            connection.execute("CREATE TABLESPACE more LOCATION ''")
        sql(site, "CREATE TABLE moments TABLESPACE more AS SELECT generate_series(1, 10) AS number")
        with monkeypatch.context() as full:
            if at == "begin":
                full.setattr(system, "space", lambda at: system.Space(at, 0, 1 << 30, 1 << 20))
            else:
                full.setattr(Writing, "append", no_room)
            assert keys(take_base(kit, log)) == UNUSABLE
        assert not [one for one in at_hand.directory(log).iterdir() if one.is_dir()]
        held_until_now(heard)
        assert recovered(planning.plan(log, Goal("now"), site.base / "back", HERE)) == set()
        assert keys(take_base(kit, log)) == set()
        assert at_hand.present(log, bases(log, "main")[-1])


def test_what_a_dead_run_left_goes_and_what_a_living_one_brings_stays(site: Site) -> None:
    with guarded(with_log(site, KEPT)) as (kit, log, _):
        dead, alive = (at_hand.directory(log) / f"{name}.coming" for name in ("dead", "alive"))
        for place in (dead, alive):
            place.mkdir(parents=True)
        with lock.lease(kit.run_lease("alive"), "alive"):
            assert keys(take_base(kit, log)) == set()
        assert not dead.exists()
        assert alive.exists()
        assert keys(take_base(kit, log)) == set()
        assert not alive.exists()


def no_room(*_: object) -> None:
    """A disk that is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _harmed(site: Site, log: Log, place: Path) -> None:
    """What the disk of the cache altered is seen before it is used."""
    planned = planning.plan(log, Goal("now"), site.base / "four", HERE)
    spoil(place / planned.base.id)
    assert planned.at_hand
    assert recovered(planned) == {"recover.at_hand_damaged"}
    # Of what lies in the target and is what it should be nothing is read there.
    over = planning.plan(log, Goal("now"), site.base / "back", OVER)
    assert recovered(over, OVER) == set()
    # What lacks files takes none away from what lies there.
    shutil.rmtree(place / planned.base.id / DATA / "base")
    stored = site.repository / "opsd-objects" / "packs"
    stored.rename(site.base / "away")
    with pytest.raises(OpsdError):
        recovered(planning.plan(log, Goal("now"), site.base / "back", OVER), OVER)
    assert rows_of(over.target)
    (site.base / "away").rename(stored)


def rows_of(target: Path) -> Mapping[str, int]:
    """The files of tables that every cluster has, and which inodes they are."""
    below = target / DATA / "base" / "1"
    return {path.name: path.stat().st_ino for path in below.glob("[0-9]*")}


def keys(closing: Closing) -> Collection[str]:
    """What a base copy that was taken told."""
    assert closing.outcome is Outcome.SUCCEEDED
    return {finding.key for finding in closing.findings}


def recovered(planned: planning.Planned, ways: Ways = HERE) -> Collection[str]:
    """Recover, see every row, and give what was told."""
    log: Log = planned.log
    with (
        recovering.recovered(log.kit, planned, ways) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good, done.findings
        assert connection.execute("SELECT sum(number) FROM moments").fetchall() == [(55,)]
        places = connection.execute(
            "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'more'"
        )
        assert Path(places.fetchall()[0][0]).is_relative_to(planned.target)
    return {finding.key for finding in done.findings}


def spoil(copy: Path) -> None:
    """Change one bit of the largest file."""
    path = max((p for p in (copy / DATA).rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        (byte,) = stream.read(1)
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
