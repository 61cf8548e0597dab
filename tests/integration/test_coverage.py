"""Reading stored objects again, against real repositories: coverage, budgets, damage."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import app
from opsd.drivers import system
from opsd.drivers.storage import LocalStorage, StoredObject
from opsd.errors import Refused, RepositoryDamaged, StorageFailed, UsageError
from opsd.keeping import Cause
from opsd.model import Outcome, Status, Task
from opsd.policy.freshness import judge
from opsd.tasks import coverage, keeping, status, stock
from opsd.tasks.kit import Kit
from opsd.tasks.proving.storage import flip
from opsd.tasks.retain import retain
from tests.season import DAY, SET, Season, judged, word

HOUR = timedelta(hours=1)
FEW = "{min_age: 1d, min_points: 2}"


def packs(kit: Kit) -> list[StoredObject]:
    storage = kit.storage("main")
    assert storage is not None
    return sorted((o for o in storage.objects() if o.kind == "data"), key=lambda o: o.name)


def told(kit: Kit, run: str) -> dict[str, object]:
    return dict(kit.store.evidence(run, "coverage") or {})


def test_every_object_is_read_within_its_days_and_new_ones_at_once(season: Season) -> None:
    with season.kit(within="4d") as kit:
        season.night(kit)
        first = coverage.cover(kit, SET)
        assert first.covered.unread == 0
        for _ in range(6):
            season.night(kit)
            before = {o.name for o in stock.listed(kit, "main")}
            done = coverage.cover(kit, SET)
            assert done.closing.outcome is Outcome.SUCCEEDED
            assert not done.closing.findings
            assert done.covered.unread == 0
            assert done.covered.objects == len(before)
            assert done.covered.oldest is not None
            assert kit.clock() - done.covered.oldest <= 4 * DAY
        read = told(kit, done.closing.run)["read_objects"]
        assert isinstance(read, int)
        assert 0 < read < done.covered.objects, "a night reads a part"


def test_a_damaged_pack_freezes_retention_until_it_is_whole_again(season: Season) -> None:
    with season.kit("{min_age: 10d}") as kit:
        points = [season.night(kit) for _ in range(5)]
        judged(kit, points[-1])
        coverage.cover(kit, SET)
        season.passed += 2 * DAY
    with season.kit(FEW, within="2d") as kit:
        path = LocalStorage(season.base / "repository").path(packs(kit)[0])
        path.chmod(0o600)
        flip(path)
        for _ in range(2):
            season.passed += HOUR
            with pytest.raises(RepositoryDamaged, match=packs(kit)[0].name[:16]):
                coverage.cover(kit, SET)
        assert [f.cause for f in kit.store.freezes(SET)] == [Cause.DAMAGE], "told once"
        facts = status.observe(kit, SET)
        assert judge(facts).coverage is Status.CRITICAL
        with pytest.raises(Refused, match="frozen"):
            retain(kit, SET)
        keeping.acknowledge(kit, SET, word(kit))
        with pytest.raises(Refused, match="damaged objects"):
            retain(kit, SET)
        assert len(kit.store.points(SET)) == 5
        flip(path)  # as if repaired
        season.passed += HOUR
        assert coverage.cover(kit, SET).covered.damaged == 0
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert len(kit.store.points(SET)) == 2
        assert judge(status.observe(kit, SET)).coverage is Status.OK


def test_time_over_leaves_the_rest_to_the_next_night_and_says_so(season: Season) -> None:
    with season.kit(within="5d", pace="time: 1s, rate: 4kB") as kit:
        season.night(kit)
        season.night(kit)
        season.passed += 20 * DAY
        began = time.monotonic()
        done = coverage.cover(kit, SET)
        assert time.monotonic() - began < 20
        assert done.closing.outcome is Outcome.SUCCEEDED
        assert [f.key for f in done.closing.findings] == ["coverage.behind"]
        assert done.covered.unread > 0
        assert judge(status.observe(kit, SET)).coverage is Status.WARNING
        while done.covered.unread:
            left = done.covered.unread
            season.passed += HOUR
            done = coverage.cover(kit, SET)
            assert done.covered.unread < left, "each night comes further"


def test_a_repository_with_nothing_in_it_is_not_green(season: Season) -> None:
    with season.kit() as kit:
        with pytest.raises(RepositoryDamaged):
            coverage.cover(kit, SET)
        run = kit.store.last_run(Task.COVER, SET)
        assert run is not None
        assert run[1] is not None
        assert run[1].outcome is Outcome.FAILED


@pytest.mark.parametrize("damage", [False, True])
def test_restic_reads_where_opsd_cannot(
    damage: bool, season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    with season.kit() as kit:
        season.night(kit)
        names = packs(kit)
        if damage:
            path = LocalStorage(season.base / "repository").path(names[0])
            path.chmod(0o600)
            flip(path)
        monkeypatch.setattr(Kit, "storage", lambda *_: None)
        if damage:
            with pytest.raises(RepositoryDamaged, match=names[0].name[:16]):
                coverage.cover(kit, SET)
            assert [one.name for one in stock.damaged(kit, "main")] == [names[0].name]
        else:
            done = coverage.cover(kit, SET)
            assert done.covered.objects == len(names)
            assert done.covered.unread == 0


def test_what_is_stored_is_read_again_also_in_a_night_without_a_backup(season: Season) -> None:
    with season.kit() as kit:
        season.night(kit)
        broken = season.base / "broken-restic"
        broken.write_text('#!/bin/sh\ncase "$*" in *backup*) exit 1;; esac\nexec restic "$@"\n')
        broken.chmod(0o755)
        season.passed += DAY
        without = replace(kit, config=kit.config.model_copy(update={"restic": str(broken)}))
        with pytest.raises(StorageFailed):
            app.night(without, SET)
        for task, good in ((Task.BACKUP, False), (Task.COVER, True)):
            run = kit.store.last_run(task, SET)
            assert run is not None
            assert run[1] is not None
            assert run[1].outcome.good is good
        assert kit.store.last_run(Task.RETAIN, SET) is None


def test_what_a_proof_and_a_prune_did_counts(season: Season) -> None:
    with season.kit("{min_age: 10d}") as kit:
        points = [season.night(kit) for _ in range(4)]
        judged(kit, points[-1])
        season.passed += 2 * DAY
    with season.kit(FEW) as kit:
        assert all(app.night(kit, SET).values())
        with stock.reads(kit) as known:
            covered = known.covered("main")
        # the proof read everything, and what prune wrote was read in the same run
        assert (covered.unread, covered.damaged) == (0, 0)
        assert {o.name for o in stock.listed(kit, "main")} >= {o.name for o in packs(kit)}
        assert covered.oldest is not None
        assert kit.clock() - covered.oldest < timedelta(hours=1)


def test_a_set_that_is_unknown_is_told(season: Season) -> None:
    with season.kit() as kit, pytest.raises(UsageError):
        coverage.cover(kit, "nosuch")


def test_a_lost_file_of_reads_makes_everything_old(season: Season) -> None:
    with season.kit() as kit:
        season.night(kit)
        begun = kit.store.begun("main")
        coverage.cover(kit, SET)
        for file in Path(kit.config.state).glob("reads.sqlite*"):
            file.unlink()
        season.passed += 40 * DAY
        kit.storage("main")
        with stock.reads(kit) as known:
            assert known.covered("main").oldest is None
        done = coverage.cover(kit, SET)
        assert begun is not None
        assert done.covered.unread == 0


def test_the_cache_keeps_to_its_bound_and_nothing_else_goes(season: Season) -> None:
    with season.kit() as kit:
        season.night(kit)
        cache = kit.config.cache
        (cache / "notes.txt").write_text("not restic's")
        bounded = replace(kit, config=kit.config.model_copy(update={"cache_size": 1}))
        done = coverage.cover(bounded, SET)
        told = kit.store.evidence(done.closing.run, "cache")
        assert told is not None
        assert told["removed"] > 0
        left = {path.name for path in cache.rglob("*") if path.is_file()}
        assert left == {"notes.txt", "CACHEDIR.TAG", "version"}
        assert season.night(kit).complete, "what is gone is fetched again"


def test_a_prune_without_memory_is_refused_before_it_begins(
    season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    with season.kit("{min_age: 10d}") as kit:
        points = [season.night(kit) for _ in range(3)]
        judged(kit, points[-1])
        season.passed += 2 * DAY
    with season.kit(FEW) as kit:
        with monkeypatch.context() as patched:
            patched.setattr(system, "memory_free", lambda: 1 << 20)
            with pytest.raises(Refused, match="of memory"):
                retain(kit, SET)
        assert kit.store.pruned_up_to("main") == 0
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert kit.store.pruned_up_to("main") == 1
