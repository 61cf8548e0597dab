"""Holds in the repository, leftovers of dead runs, and restores that prune gives way to."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import assembly
from opsd.drivers.restic import Restic, Source
from opsd.errors import RepositoryLocked
from opsd.model import Outcome, RecoveryPoint, Severity, Task
from opsd.tasks import holding, keeping, way
from opsd.tasks.backup import back_up
from opsd.tasks.journal import opened
from opsd.tasks.kit import TAG, Kit, tagged
from opsd.tasks.rebuild import rebuild
from opsd.tasks.retain import retain
from tests.season import DAY, SET, Season, insist, judged, word

FEW = "{min_age: 1d, min_points: 2}"


def parts(kit: Kit, part: str) -> list[str]:
    return [s.id for s in kit.restic("main").snapshots(TAG, f"set:{SET}", f"part:{part}")]


def old(season: Season, kit: Kit, count: int = 4) -> list[RecoveryPoint]:
    points = [season.night(kit) for _ in range(count)]
    judged(kit, points[-1])
    season.passed += 4 * DAY
    return points


def test_holds_outlive_the_history(season: Season) -> None:
    with season.kit("{min_age: 30d}") as kit:
        first, second, *_ = old(season, kit)
        held = keeping.hold(kit, SET, first.id, word(kit))
        ended = keeping.hold(kit, SET, second.id, word(kit))
        assert holding.keep(kit, SET) == 2
        assert holding.keep(kit, SET) == 0, "each once"
        season.passed += timedelta(hours=1)
        keeping.release(kit, ended.id, word(kit))
        late = keeping.hold(kit, SET, "", word(kit))
        assert holding.keep(kit, SET) == 2
        season.passed += timedelta(hours=1)
        keeping.release(kit, late.id, word(kit))
    (season.base / "state" / assembly.STORE).unlink()
    with season.kit(FEW) as kit:
        rebuild(kit)
        assert held in kit.store.holds(SET)
        assert [one.id for one in kit.store.holds(SET)] == [held.id, late.id], (
            "one that ended stays ended; one whose end was not written down holds on"
        )
        keeping.release(kit, late.id, word(kit))
        judged(kit, kit.store.points(SET)[0])
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert first.id in {one.id for one in kit.store.points(SET)}
        assert len(kit.store.points(SET)) == 3
        season.passed += timedelta(hours=1)
        retain(kit, SET)
        # what ended is not in the repository any more; what holds is
        assert len(parts(kit, holding.HOLD)) == 1
        assert parts(kit, holding.END) == []
        insist(kit)


def test_what_dead_runs_left_goes_when_something_whole_is_newer(
    season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Restic.backup

    def dying(self: Restic, source: object, **options: object) -> object:
        if "part:record" in getattr(source, "tags", ()):
            raise SystemExit("killed")
        return real(self, source, **options)  # type: ignore[arg-type]

    def dead_night() -> None:
        season.passed += DAY
        with monkeypatch.context() as patched:
            patched.setattr(Restic, "backup", dying)
            with pytest.raises(SystemExit):
                back_up(kit, SET)

    with season.kit("{min_age: 36h, min_points: 2}") as kit:
        judged(kit, season.night(kit))
        dead_night()
        base = base_copy(kit)
        season.passed += 3 * DAY
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert len(parts(kit, "scans")) == 2, "it may be the newest data there is"
        judged(kit, season.night(kit))
        dead_night()
        point = season.night(kit)
        judged(kit, point)
        done = retain(kit, SET)
        assert [(f.key, f.severity) for f in done.closing.findings] == [
            ("retention.cleared", Severity.NOTE)
        ]
        told = kit.store.last_told("clear")
        assert told is not None
        assert len(told.body["snapshots"]) == 1  # type: ignore[arg-type]
        mine = kit.restic("main").snapshots(TAG, f"set:{SET}")
        kept = {tagged(s.tags, "run") for s in mine if s.id != base}
        kept -= {p.id for p in kit.store.points(SET)}
        assert len(kept) == 1, "the one of yesterday is young"
        season.passed += 2 * DAY
        retain(kit, SET)
        left = {s.id for s in kit.restic("main").snapshots(TAG, f"set:{SET}")}
        assert base in left, "a base copy is no part of a point, and has no record"
        kit.restic("main").forget([base], limits=kit.limits("main", DAY))
        insist(kit)


def base_copy(kit: Kit) -> str:
    """A snapshot as base copies are: of a run that made no point, with a member and no part."""
    with opened(kit, Task.BASE, SET, "main") as journal:
        names = (TAG, f"set:{SET}", "member:database", f"run:{journal.run.id}")
        source = Source(kit.config.backup_sets[SET].trees["scans"].path, kit.config.host, names)
        return kit.restic("main").backup(source, limits=kit.limits("main", DAY)).snapshot


def slow(season: Season, kit: Kit) -> Kit:
    """restic, except that prune takes for ever."""
    program = season.base / "slow-restic"
    program.write_text('#!/bin/sh\ncase "$*" in *prune*) exec sleep 60;; esac\nexec restic "$@"\n')
    program.chmod(0o755)
    return replace(kit, config=kit.config.model_copy(update={"restic": str(program)}))


def test_a_prune_gives_way_to_a_restore_that_begins(season: Season) -> None:
    with season.kit("{min_age: 30d}") as kit:
        old(season, kit)
    with season.kit(FEW) as kit:
        raised: list[BaseException] = []

        def prune() -> None:
            try:
                retain(slow(season, kit), SET)
            except RepositoryLocked as error:
                raised.append(error)

        working = threading.Thread(target=prune)
        working.start()
        while not kit.store.last_drop("main"):
            assert working.is_alive()
        with opened(kit, Task.RESTORE, SET, "main") as journal:
            way.clear(journal)  # what `opsd restore` does before it reads
            assert not way.under_way(kit, Task.RETAIN, "main")
            assert not journal.findings
            working.join(30)
            with pytest.raises(RepositoryLocked, match="a restore reads"):
                retain(kit, SET)
        assert [str(error).split(":")[0] for error in raised] == [
            "somebody began to restore from repository main"
        ]
        assert kit.store.pruned_up_to("main") == 0
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert kit.store.pruned_up_to("main") == kit.store.last_drop("main") == 2
        insist(kit)


def test_a_restore_is_not_kept_waiting_for_ever(
    season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "_PATIENCE", timedelta())
    with season.kit() as kit:
        with opened(kit, Task.RETAIN, SET, "main"), opened(kit, Task.RESTORE, SET, "main") as mine:
            way.clear(mine)
        assert [f.key for f in mine.findings] == ["restore.beside"]
        assert Path(kit.config.state).is_dir()
