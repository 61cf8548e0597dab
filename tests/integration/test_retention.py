"""Retention against a real repository: a season of nights, deaths in the middle, refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import assembly
from opsd.config.schema import Config
from opsd.drivers.restic import Restic
from opsd.errors import (
    OpsdError,
    Refused,
    RepositoryDamaged,
    RepositoryLocked,
    ScratchFull,
    UsageError,
)
from opsd.keeping import Cause
from opsd.model import Outcome, RecoveryPoint, Severity, Task
from opsd.policy.retention import Rule
from opsd.tasks import audit, keeping
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.prove import prove
from opsd.tasks.rebuild import rebuild
from opsd.tasks.retain import retain
from opsd.tasks.shelf import points_in
from tests.season import DAY, SET, Season, insist, judged, word
from tests.year import RULES, ZONE, Year


def test_a_short_year(season: Season) -> None:
    """All that years bring, day after day: what is there is what the pure plan says."""
    with season.kit(RULES, zone=ZONE) as kit:
        year = Year(season, kit, days=28)
        year.go_through()
        year.insist()
        assert year.dropped > 8
        assert audit.verify(kit, [SET]).breach is None
        assert prove(kit, SET).closing.outcome is Outcome.PASSED


# --- deaths


class Dead(Exception):
    """The process died here."""


def _old(season: Season, kit: Kit, count: int = 6) -> list[RecoveryPoint]:
    """Some points, the newest proved, all but two of them of no use any more."""
    points = [season.night(kit) for _ in range(count)]
    judged(kit, points[-1])
    season.passed += 4 * DAY
    return points


FEW = "{min_age: 1d, min_points: 2}"

# Where retention dies: the call before which, or after which, and how often it was called.
DEATHS = {
    "before anything is removed": ("forget", 1, False),
    "when the records are gone": ("forget", 1, True),
    "before it is looked whether all went": ("forget", 2, True),
    "before space is given back": ("prune", 1, False),
    "when space was given back": ("prune", 1, True),
}


@pytest.mark.parametrize("case", DEATHS)
def test_the_night_after_a_death_goes_on(
    case: str, season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, times, after = DEATHS[case]
    with season.kit("{min_age: 10d, min_points: 2}") as kit:
        points = _old(season, kit)
    with season.kit(FEW) as kit, monkeypatch.context() as patched:
        real, count = getattr(Restic, name), 0

        def dying(self: Restic, *args: object, **options: object) -> object:
            nonlocal count
            count += 1
            if count == times and not after:
                raise Dead
            found = real(self, *args, **options)
            if count == times:
                raise Dead
            return found

        patched.setattr(Restic, name, dying)
        with pytest.raises(Dead):
            retain(kit, SET)
        run = kit.store.last_run(Task.RETAIN, SET)
        assert run is not None
        assert run[1] is not None
        assert not run[1].outcome.good
    with season.kit(FEW) as kit:
        # whatever was half done, a proof finds nothing missing, and the next night is whole
        assert {one.id for one in kit.store.points(SET)} == {p.id for p in points[-2:]}
        assert prove(kit, SET).closing.outcome is Outcome.PASSED
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        insist(kit)
        assert kit.store.pruned_up_to("main") == kit.store.last_drop("main") == 4
        before = len(kit.store.runs(Task.RETAIN, SET))
        again = retain(kit, SET)  # nothing is left to do: nothing is removed, nothing is pruned
        assert len(kit.store.runs(Task.RETAIN, SET)) == before + 1
        assert kit.store.evidence(again.closing.run, "pruned") is None


def test_prune_that_runs_out_of_time_goes_on_the_next_night(season: Season) -> None:
    with season.kit("{min_age: 10d}") as kit:
        _old(season, kit)
    short = "{min_age: 1d, min_points: 2, prune_time: 1s}"
    with season.kit(short) as kit:
        patient = kit.restic("main")
        blocker = replace_program(kit, _sleeping(season.base))
        slow = replace(kit, config=blocker)
        done = retain(slow, SET)
        assert done.closing.outcome is Outcome.SUCCEEDED
        assert [f.key for f in done.closing.findings] == ["retention.prune_goes_on"]
        assert kit.store.pruned_up_to("main") == 0
        assert len(points_in(patient, SET)) == 2
    with season.kit(FEW) as kit:
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert kit.store.pruned_up_to("main") == 4


def _sleeping(base: Path) -> Path:
    """restic, except that prune takes for ever."""
    program = base / "slow-restic"
    program.write_text('#!/bin/sh\ncase "$*" in *prune*) exec sleep 60;; esac\nexec restic "$@"\n')
    program.chmod(0o755)
    return program


# --- what is refused


def test_nothing_is_dropped_before_something_is_proved(season: Season) -> None:
    with season.kit(FEW) as kit:
        for _ in range(3):
            season.night(kit)
        season.passed += DAY
        with pytest.raises(Refused, match="no recovery point is proved"):
            retain(kit, SET)
        assert len(kit.store.points(SET)) == 3


def test_a_failed_proof_freezes_until_a_person_acknowledges_it(season: Season) -> None:
    with season.kit("{min_age: 36h, min_points: 1}") as kit:
        judged(kit, season.night(kit))
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        points = [season.night(kit) for _ in range(3)]
        judged(kit, points[-1], Outcome.FAILED)
        season.passed += timedelta(minutes=5)
        judged(kit, points[-2])  # a good one afterwards does not thaw it
        for _ in range(2):
            with pytest.raises(Refused, match="frozen"):
                retain(kit, SET)
        assert [f.cause for f in kit.store.freezes(SET)] == [Cause.PROOF]
        assert len(kit.store.points(SET)) == 4
        keeping.acknowledge(kit, SET, word(kit))
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        kept = {f.standing.point.id: f.rules for f in keeping.plan(kit, SET).fates}
        assert kept[points[-2].id] == (Rule.LAST_PROVED, Rule.MINIMUM, Rule.YOUNG)
        with pytest.raises(UsageError, match="not frozen"):
            keeping.acknowledge(kit, SET, word(kit))


def test_a_proof_that_only_says_that_a_member_is_missing_freezes_nothing(season: Season) -> None:
    """Its backup told that already, and the next one makes it good: nobody is needed."""
    with season.kit() as kit:
        point = season.night(kit)
        for keys, frozen in ((("proof.incomplete",), False), (("proof.incomplete", "x"), True)):
            season.passed += timedelta(minutes=5)  # of two runs at one moment neither is newer
            with opened(kit, Task.PROVE, SET, "main") as journal:
                for key in keys:
                    journal.find(Severity.FAULT, key, point=point.id)
                end(journal, Outcome.FAILED, "integrity")
            causes = [one.cause for one in keeping.plan(kit, SET).obstacles]
            assert (Cause.PROOF in causes) is frozen


def test_nothing_goes_while_somebody_restores(season: Season) -> None:
    """A restore takes no lock: packs must not vanish under it."""
    with season.kit("{min_age: 10d}") as kit:
        _old(season, kit)
    with season.kit(FEW) as kit:
        with opened(kit, Task.RESTORE, SET, "main"), pytest.raises(RepositoryLocked):
            retain(kit, SET)
        assert len(kit.store.points(SET)) == 6
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert len(kit.store.points(SET)) == 2


def test_a_snapshot_that_somebody_removed_stops_retention(season: Season) -> None:
    with season.kit("{min_age: 10d}") as kit:
        points = _old(season, kit)
    with season.kit(FEW) as kit:
        (season.base / "repository" / "snapshots" / points[-1].record).unlink()
        with pytest.raises(RepositoryDamaged):
            retain(kit, SET)
        assert len(kit.store.points(SET)) == 6


def test_after_a_rebuild_nothing_goes_until_holds_are_looked_at(season: Season) -> None:
    with season.kit("{min_age: 10d, min_points: 1}") as kit:
        points = _old(season, kit)
        keeping.hold(kit, SET, points[0].id, word(kit))
        lines = kit.store.head().number
    with season.kit(FEW) as kit:
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert {p.id for p in kit.store.points(SET)} == {p.id for p in (points[0], *points[-2:])}
        season.night(kit)
        assert kit.store.head().number > lines
    (season.base / "state" / assembly.STORE).unlink()
    with season.kit(FEW) as kit:
        rebuild(kit)
        assert len(kit.store.points(SET)) == 4
        assert Cause.REBUILT in {f.cause for f in kit.store.freezes(SET)}
        with pytest.raises(OpsdError, match="frozen"):
            retain(kit, SET)
        assert audit.verify(kit, [SET]).breach is None  # the new chain names the old one's end


def test_a_scratch_that_takes_nothing_is_no_mistake_of_opsd(season: Season) -> None:
    with season.kit() as kit:
        occupied = kit.config.model_copy(update={"scratch": season.base / "password"})
        with (
            pytest.raises(ScratchFull),
            opened(replace(kit, config=occupied), Task.RETAIN, SET, "main") as journal,
        ):
            journal.workplace()
        run = kit.store.last_run(Task.RETAIN, SET)
        assert run is not None
        assert run[1] is not None
        assert run[1].reason == "scratch"


def test_a_storage_that_lets_nothing_go_is_told(season: Season) -> None:
    with season.kit("{min_age: 10d}") as kit:
        _old(season, kit)
    with season.kit(FEW) as kit:
        stubborn = season.base / "stubborn-restic"
        says = "echo it is kept >&2; exit 3"
        stubborn.write_text(f'#!/bin/sh\ncase "$*" in *forget*) {says};; esac\nexec restic "$@"\n')
        stubborn.chmod(0o755)
        with pytest.raises(OpsdError, match="does not let go: 8") as caught:
            retain(replace(kit, config=replace_program(kit, stubborn)), SET)
        assert "it is kept" in caught.value.detail
        assert retain(kit, SET).closing.outcome is Outcome.SUCCEEDED
        insist(kit)


def replace_program(kit: Kit, program: Path) -> Config:
    return kit.config.model_copy(update={"restic": str(program)})
