"""Which points stay, whatever years bring: missed days, wrong clocks, holds, failed proofs."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from opsd.keeping import Cause, Freeze, Hold
from opsd.model import Finding, Outcome, Proof, ProofReached, RecoveryPoint, Run, Severity, Task
from opsd.policy.freshness import LastRun
from opsd.policy.retention import Facts, Rule, Rules, obstacles, plan, refusal, whole
from opsd.policy.standing import Standing
from tests.oracle import stays

HANOI, NEW_YORK = ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("America/New_York")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2024, 1, 1, 18, 30, tzinfo=UTC)
RULES = Rules(min_age=14 * DAY, min_points=3, daily=7, weekly=4, monthly=6, yearly=2)


def standing(
    at: datetime, *, complete: bool = True, proof: Outcome | None = Outcome.PASSED, id_: str = ""
) -> Standing:
    name = id_ or f"{at:%Y%m%dT%H%M%SZ}"
    point = RecoveryPoint(name, "dossiers", "main", "srv", at, (), complete, record=f"r-{name}")
    taken = ProofReached(name, name, "main", at, Proof.TAKEN, Outcome.PASSED)
    if proof is None:
        return Standing(point, (taken,))
    tried = ProofReached(f"p-{name}", name, "main", at, Proof.PROVED, proof)
    return Standing(point, (taken, tried))


def nights(count: int, **how: object) -> list[Standing]:
    return [standing(START + n * DAY, **how) for n in range(count)]  # type: ignore[arg-type]


def rules_by_point(
    found: Iterable[Standing],
    now: datetime,
    rules: Rules | None = RULES,
    holds: tuple[Hold, ...] = (),
    zone: ZoneInfo = HANOI,
) -> dict[str, tuple[Rule, ...]]:
    return {f.standing.point.id: f.rules for f in plan(list(found), holds, now, zone, rules)}


def test_without_rules_nothing_is_dropped() -> None:
    found = rules_by_point(nights(500), START + 5000 * DAY, None)
    assert set(found.values()) == {(Rule.NO_RULES,)}


def test_a_year_of_nights_keeps_days_weeks_months_and_years() -> None:
    now = START + 399 * DAY + HOUR
    fates = plan(nights(400), (), now, HANOI, replace(RULES, min_age=DAY))
    kept = [f for f in fates if f.kept]
    dates = [f.standing.point.at.astimezone(HANOI).date() for f in kept]
    daily = [f for f in kept if Rule.DAILY in f.rules]
    assert len(daily) == 7
    assert [d.isoweekday() for f, d in zip(kept, dates, strict=True) if f.rules == (Rule.WEEKLY,)]
    months = {
        (d.year, d.month) for f, d in zip(kept, dates, strict=True) if Rule.MONTHLY in f.rules
    }
    assert len(months) == 6
    years = {d.year for f, d in zip(kept, dates, strict=True) if Rule.YEARLY in f.rules}
    assert years == {2024, 2025}
    assert fates[0].rules[:2] == (Rule.LAST_PROVED, Rule.MINIMUM)
    assert len(kept) < 25


def test_days_are_those_of_the_zone_also_when_a_clock_is_put_back() -> None:
    # 2024-11-03 in New York: 01:30 comes twice; both points are of one local day.
    first = datetime(2024, 11, 3, 5, 30, tzinfo=UTC)
    second = first + HOUR
    late = datetime(2024, 11, 4, 4, 30, tzinfo=UTC)  # 23:30 of the same local day
    found = [standing(at) for at in (first, second, late)]
    rules = Rules(min_age=timedelta(seconds=1), min_points=1, daily=5)
    kept = rules_by_point(found, late + DAY, rules, zone=NEW_YORK)
    assert [bool(kept[s.point.id]) for s in found] == [False, False, True]
    assert all(rules_by_point(found[1:], late + DAY, rules, zone=ZoneInfo("UTC")).values())


def test_a_month_without_the_database_pushes_nothing_whole_out() -> None:
    good = nights(10)
    bad = [standing(START + n * DAY, complete=False, proof=None) for n in range(10, 100)]
    rules = Rules(min_age=DAY, min_points=1, daily=7)
    kept = rules_by_point([*good, *bad], START + 100 * DAY, rules)
    assert sum(Rule.DAILY in kept[s.point.id] for s in good) == 7
    # nothing whole is newer: what they hold of the other members is the newest there is
    assert all(kept[s.point.id] == (Rule.NEWEST_DATA,) for s in bad)
    healed = [*good, *bad, standing(START + 100 * DAY)]
    kept = rules_by_point(healed, START + 102 * DAY, rules)
    assert not any(kept[s.point.id] for s in bad)


def test_a_point_that_was_found_bad_stands_for_no_day() -> None:
    good = standing(START)
    bad = standing(START + HOUR, proof=Outcome.FAILED)
    last = standing(START + DAY)
    kept = rules_by_point([good, bad, last], START + 9 * DAY, Rules(DAY, 1, daily=2))
    assert kept[bad.point.id] == ()
    assert kept[good.point.id] == (Rule.DAILY,)


def test_what_is_dated_after_now_stands_for_nothing_but_stays() -> None:
    real = nights(3)
    future = standing(START + 900 * DAY)
    kept = rules_by_point([*real, future], START + 3 * DAY, Rules(HOUR, 1, daily=1))
    assert kept[real[-1].point.id] == (Rule.LAST_PROVED, Rule.MINIMUM, Rule.DAILY)
    assert kept[future.point.id] == (Rule.LAST_PROVED, Rule.YOUNG)


def test_a_hold_keeps_one_point_or_all_and_ends_when_it_is_released() -> None:
    found = nights(60)
    now, rules = START + 200 * DAY, Rules(DAY, 1)
    one = Hold("h1", "dossiers", found[5].point.id, START, "evidence", "An")
    kept = rules_by_point(found, now, rules, (one,))
    assert [i for i, s in enumerate(found) if kept[s.point.id]] == [5, 59]
    every = replace(one, point="")
    assert all(rules_by_point(found, now, rules, (every,)).values())
    released = replace(every, released_at=now)
    assert sum(map(bool, rules_by_point(found, now, rules, (released,)).values())) == 1


# --- what freezes


def facts(found: list[Standing], now: datetime, **more: object) -> Facts:
    known = Facts(
        now=now,
        max_offset=timedelta(minutes=1),
        synchronised=True,
        sync_required=True,
        rules=RULES,
        standings=found,
        taken=[(s.point.at, s.point.id) for s in found],
    )
    return replace(known, **more)  # type: ignore[arg-type]


RUN = Run("p1", Task.PROVE, "dossiers", "main", START, "srv", 1)
FUTURE = [*nights(3), standing(START + 5 * DAY)]
GAP = [standing(START), standing(START + 20 * DAY)]

FREEZING: dict[str, tuple[Facts, set[Cause]]] = {
    "all is well": (facts(nights(3), START + 3 * DAY), set()),
    "no time server": (facts(nights(3), START + 3 * DAY, synchronised=False), {Cause.CLOCK}),
    "the kernel does not say": (
        facts(nights(3), START + 3 * DAY, synchronised=None),
        {Cause.CLOCK},
    ),
    "not asked for": (
        facts(nights(3), START + 3 * DAY, synchronised=False, sync_required=False),
        set(),
    ),
    "a point from the future": (facts(FUTURE, START + 3 * DAY), {Cause.FUTURE}),
    "a clock that is a little behind": (facts(nights(3), START + 2 * DAY), set()),
    "three weeks off": (facts(GAP, START + 20 * DAY), {Cause.LEAP}),
    "three weeks off, nothing taken yet": (facts(nights(3), START + 30 * DAY), {Cause.LEAP}),
    "a proof that failed": (facts(nights(3), START + 3 * DAY, failed=RUN), {Cause.PROOF}),
}


@pytest.mark.parametrize("case", FREEZING)
def test_what_freezes_retention(case: str) -> None:
    known, causes = FREEZING[case]
    found = obstacles(known)
    assert {one.cause for one in found} == causes
    # what was told, or acknowledged, is not told again; a clock that is wrong still is wrong
    said = Finding(Severity.FAULT, "retention.leap")
    told = [Freeze("f", "dossiers", START, one.cause, one.about, said) for one in found]
    assert not obstacles(replace(known, open=told))
    settled = {(one.cause, one.about) for one in found if one.about}
    assert {o.cause for o in obstacles(replace(known, settled=settled))} == causes & {Cause.CLOCK}


def test_what_passes_without_a_person_refuses_only_once() -> None:
    proved = facts(nights(3), START + 3 * DAY)
    assert refusal(proved) is None
    unproved = refusal(facts(nights(3, proof=None), START + 3 * DAY))
    assert unproved is not None
    assert unproved.key == "retention.nothing_proved"
    open_end = refusal(replace(proved, last_proof=LastRun(RUN, None)))
    assert open_end is not None
    assert open_end.key == "retention.proof_unknown"


def test_a_point_from_the_future_is_one_cause_and_not_another_each_night() -> None:
    """A clock leapt once: what was acknowledged of it does not freeze every night until then."""
    found = nights(5)
    ahead = (START + 400 * DAY, "ahead")
    for night in range(3, 5):
        taken = [*((s.point.at, s.point.id) for s in found[: night + 1]), ahead]
        now = START + night * DAY + HOUR
        told = obstacles(facts(found[: night + 1], now, taken=taken, rules=RULES))
        assert [(one.cause, one.about) for one in told] == [(Cause.FUTURE, "ahead")]


# --- whatever happens

moments = st.integers(min_value=0, max_value=1500).flatmap(
    lambda day: st.integers(min_value=0, max_value=1439).map(
        lambda minute: START + day * DAY + timedelta(minutes=minute)
    )
)
points = st.builds(
    lambda at, complete, proof: standing(at, complete=complete, proof=proof),
    moments,
    st.booleans() | st.just(value=True),
    st.sampled_from([None, Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_VERIFY]),
)
some_rules = st.builds(
    Rules,
    min_age=st.integers(1, 100).map(lambda n: n * DAY),
    min_points=st.integers(1, 5),
    daily=st.integers(0, 10),
    weekly=st.integers(0, 6),
    monthly=st.integers(0, 13),
    yearly=st.integers(0, 3),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(points, max_size=60, unique_by=lambda s: s.point.id),
    moments,
    some_rules,
    st.sampled_from([HANOI, NEW_YORK]),
)
def test_what_must_never_go_never_goes(
    found: list[Standing], now: datetime, rules: Rules, zone: ZoneInfo
) -> None:
    fates = plan(found, (), now, zone, rules)
    assert {f.standing.point.id for f in fates if f.kept} == stays(found, (), now, zone, rules)
    assert {f.standing.point.id for f in fates} == {s.point.id for s in found}
    gone = [f.standing for f in fates if not f.kept]
    ordered = sorted(found, key=lambda s: (s.point.at, s.point.id))
    proved = [s for s in ordered if s.proved_at is not None]
    assert not proved or proved[-1] not in gone
    assert all(now - s.point.at >= rules.min_age for s in gone)
    fit = [s for s in ordered if whole(s) and s.point.at <= now]
    assert len([s for s in fit if s not in gone]) >= min(rules.min_points, len(fit))
    if fit:
        assert all(s.point.at < fit[-1].point.at for s in gone)
    else:
        assert not gone
    # carried out, the same plan drops nothing more
    left = [f.standing for f in fates if f.kept]
    assert all(f.kept for f in plan(left, (), now, zone, rules))


class Years(RuleBasedStateMachine):
    """A set through the years: what retention would drop is dropped, and nothing dear is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.limits, self.zone = RULES, HANOI
        self.now = START
        self.points: list[Standing] = []
        self.every: list[Standing] = []
        self.dropped: list[Standing] = []
        self.holds: list[Hold] = []
        self.freezes: list[Freeze] = []
        self.settled: set[tuple[Cause, str]] = set()
        self.failed: Run | None = None

    @initialize(rules=some_rules, zone=st.sampled_from([HANOI, NEW_YORK]))
    def begin(self, rules: Rules, zone: ZoneInfo) -> None:
        self.limits, self.zone = rules, zone

    @rule(days=st.integers(1, 12), proof=st.sampled_from([Outcome.PASSED] * 5 + [Outcome.FAILED]))
    def nights_pass(self, days: int, proof: Outcome) -> None:
        for _ in range(days):
            self.now += DAY
            self._take(Outcome.PASSED, complete=True)
        self.now += DAY
        self._take(proof, complete=True)

    @rule(complete=st.booleans())
    def a_night_without_a_proof(self, complete: bool) -> None:
        self.now += DAY
        self._take(None, complete=complete)

    @rule(days=st.integers(2, 40))
    def the_machine_is_off(self, days: int) -> None:
        self.now += days * DAY

    @rule(days=st.integers(1, 900))
    def the_clock_leaps_and_a_night_passes(self, days: int) -> None:
        self.now += days * DAY
        self._take(Outcome.PASSED, complete=True)
        self._retain()
        self.now -= days * DAY

    @precondition(lambda self: self.points)
    @rule(which=st.integers(0, 1000))
    def a_hold_is_set(self, which: int) -> None:
        point = self.points[which % len(self.points)].point.id
        self.holds.append(Hold(f"h{len(self.holds)}", "dossiers", point, self.now, "r", "An"))

    @precondition(lambda self: self.holds)
    @rule()
    def a_hold_is_released(self) -> None:
        self.holds.pop()

    @rule()
    def a_person_acknowledges(self) -> None:
        self.settled |= {(f.cause, f.about) for f in self.freezes}
        self.freezes.clear()

    @rule()
    def retention_runs(self) -> None:
        self._retain()

    def _take(self, proof: Outcome | None, *, complete: bool) -> None:
        name = f"n{len(self.every)}"
        made = standing(self.now, complete=complete, proof=proof, id_=name)
        self.points.append(made)
        self.every.append(made)
        if proof is Outcome.FAILED:
            self.failed = Run(f"p-{name}", Task.PROVE, "dossiers", "main", self.now, "srv", 1)

    def _retain(self) -> None:
        taken = sorted((s.point.at, s.point.id) for s in self.every)
        known = facts(
            self.points,
            self.now,
            rules=self.limits,
            taken=taken,
            failed=self.failed,
            open=tuple(self.freezes),
            settled=self.settled,
        )
        said = Finding(Severity.FAULT, "retention.leap")
        self.freezes += [
            Freeze("f", "dossiers", self.now, one.cause, one.about, said)
            for one in obstacles(known)
        ]
        self.failed = None
        if self.freezes or refusal(known) is not None:
            return
        told = (self.points, self.holds, self.now, self.zone, self.limits)
        fates = plan(*told)
        assert {f.standing.point.id for f in fates if f.kept} == stays(*told)
        self._judge([f.standing for f in fates if not f.kept])
        self.points = [f.standing for f in fates if f.kept]

    def _judge(self, going: list[Standing]) -> None:
        held = {hold.point for hold in self.holds}
        assert not any(s.point.id in held for s in going)
        assert all(self.now - s.point.at >= self.limits.min_age for s in going)
        self.dropped += going

    @invariant()
    def the_last_proved_point_is_there(self) -> None:
        proved = [s for s in self.every if s.proved_at is not None]
        if proved:
            last = max(proved, key=lambda s: (s.point.at, s.point.id))
            assert last in self.points

    @invariant()
    def enough_whole_points_are_there(self) -> None:
        fit = [s for s in self.every if whole(s)]
        left = [s for s in self.points if whole(s)]
        assert len(left) >= min(self.limits.min_points, len(fit))


TestYears = Years.TestCase
TestYears.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
