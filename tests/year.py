"""A year of a set, with all that a year brings, on a clock of its own and a real repository.

It is told by a script: on which day what happens, and what must be frozen because of it. A person
looks the day after. What stays is compared with the pure plan, and that with the oracle.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from opsd.drivers.restic import Restic
from opsd.drivers.storage import LocalStorage
from opsd.errors import Refused, RepositoryDamaged
from opsd.keeping import Cause
from opsd.model import Outcome, RecoveryPoint, Status
from opsd.policy.freshness import judge
from opsd.tasks import coverage, keeping, status
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit
from opsd.tasks.proving.storage import flip
from opsd.tasks.retain import retain
from tests import oracle
from tests.season import DAY, SET, Season, insist, judged, word

RULES = "{min_age: 5d, min_points: 2, daily: 7, weekly: 3, monthly: 4, yearly: 1}"
ZONE = "America/New_York"  # its clocks are put forward and back within the year
FILES = 30


@dataclass
class Year:
    """A set through the year. `expected` is what must freeze retention today."""

    season: Season
    kit: Kit
    days: int
    chance: random.Random = field(default_factory=lambda: random.Random(20261128))
    expected: set[Cause] = field(default_factory=set)
    held: str = ""
    dropped: int = 0
    frozen: set[Cause] = field(default_factory=set)

    def go_through(self) -> None:
        """Each day: what happens, the night, retention, and whether all is as it must be."""
        for number in range(FILES):
            self.scan(f"old-{number}", "a dossier of long ago\n" * 400)
        for day in range(self.days):
            self.expected.clear()
            happening = self.script.get(day, Year.a_night)
            happening(self)
            self._retain()
            self._judge_the_day()
            if self.kit.store.freezes(SET):
                keeping.acknowledge(self.kit, SET, word(self.kit))

    @property
    def script(self) -> Mapping[int, Callable[[Year], None]]:
        """What happens on which day, spread over the year from its second week on."""
        happenings = (
            Year.a_hold_is_set,
            Year.the_machine_is_off_for_days,
            Year.the_machine_is_off_for_weeks,
            Year.the_clock_leaps_ahead_and_back,
            Year.the_clock_falls_back,
            Year.a_proof_fails,
            Year.the_files_are_encrypted,
            Year.a_run_dies,
            Year.a_pack_decays,
            Year.the_hold_is_released,
        )
        first = 8
        step = (self.days - first) // len(happenings)
        return {first + step * n: happening for n, happening in enumerate(happenings)}

    # --- what happens

    def a_night(self) -> None:
        self._proved(self._taken())

    def a_hold_is_set(self) -> None:
        point = self._taken()
        self._proved(point)
        self.held = keeping.hold(self.kit, SET, point.id, word(self.kit)).id

    def the_hold_is_released(self) -> None:
        keeping.release(self.kit, self.held, word(self.kit))
        self.held = ""
        self.a_night()

    def the_machine_is_off_for_days(self) -> None:
        self.season.passed += 4 * DAY
        self.a_night()

    def the_machine_is_off_for_weeks(self) -> None:
        self.season.passed += 20 * DAY
        self.a_night()
        self.expected.add(Cause.LEAP)

    def the_clock_leaps_ahead_and_back(self) -> None:
        self.season.passed += 700 * DAY
        self.a_night()
        with pytest.raises(Refused):
            retain(self.kit, SET)
        self.season.passed -= 700 * DAY
        self.a_night()
        self.expected |= {Cause.LEAP, Cause.FUTURE}

    def the_clock_falls_back(self) -> None:
        self.season.passed -= 3 * DAY + timedelta(hours=7)
        self.a_night()
        self.expected.add(Cause.FUTURE)

    def a_proof_fails(self) -> None:
        judged(self.kit, self._taken(), Outcome.FAILED)
        self.expected.add(Cause.PROOF)

    def the_files_are_encrypted(self) -> None:
        for path in (self.season.base / "scans").iterdir():
            path.write_bytes(self.chance.randbytes(9000))
        self.a_night()
        self.expected.add(Cause.ANOMALY)

    def a_run_dies(self) -> None:
        """After its member was stored, before its record."""
        real = Restic.backup

        def dying(door: Restic, source: object, **options: object) -> object:
            if "part:record" in getattr(source, "tags", ()):
                raise KeyboardInterrupt
            return real(door, source, **options)  # type: ignore[arg-type]

        self.season.passed += DAY
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Restic, "backup", dying)
            with pytest.raises(KeyboardInterrupt):
                back_up(self.kit, SET)
        self.season.passed += timedelta(hours=1)
        self.a_night()

    def a_pack_decays(self) -> None:
        self.a_night()
        storage = LocalStorage(self.season.base / "repository")
        packs = sorted((o for o in storage.objects() if o.kind == "data"), key=lambda o: o.name)
        path = storage.path(self.chance.choice(packs))
        path.chmod(0o600)
        flip(path)
        self.season.passed += 40 * DAY  # nobody looks for longer than everything is read in
        with pytest.raises(RepositoryDamaged):
            coverage.cover(self.kit, SET)
        with pytest.raises(Refused):
            retain(self.kit, SET)
        flip(path)  # as if repaired
        self.season.passed += timedelta(hours=1)
        assert coverage.cover(self.kit, SET).covered.damaged == 0
        self.expected |= {Cause.DAMAGE, Cause.LEAP}

    # --- each day

    def scan(self, name: str, text: str) -> None:
        (self.season.base / "scans" / f"{name}.txt").write_text(text)

    def _taken(self) -> RecoveryPoint:
        return self.season.night(self.kit)

    def _proved(self, point: RecoveryPoint) -> None:
        judged(self.kit, point)

    def _retain(self) -> None:
        kit = self.kit
        standings = status.standings(kit, SET)
        before = {one.point.id for one in standings}
        planned = {f.standing.point.id for f in keeping.plan(kit, SET).fates if f.kept}
        rules = keeping.rules_of(kit, SET)
        assert rules is not None
        told = (standings, kit.store.holds(SET), kit.clock(), kit.config.zone, rules)
        assert planned == oracle.stays(*told)
        try:
            done = retain(kit, SET)
        except Refused:
            assert self.expected, [f.said for f in kit.store.freezes(SET)]
            assert {one.id for one in kit.store.points(SET)} == before
            return
        assert not self.expected
        assert done.closing.outcome is Outcome.SUCCEEDED
        assert {one.id for one in kit.store.points(SET)} == planned
        self.dropped += len(before) - len(planned)

    def _judge_the_day(self) -> None:
        kit = self.kit
        causes = {freeze.cause for freeze in kit.store.freezes(SET)}
        assert causes == self.expected
        self.frozen |= causes
        verdict = judge(status.observe(kit, SET))
        assert verdict.retention is (Status.WARNING if causes else Status.OK)
        odd = Cause.ANOMALY in causes
        assert verdict.data is (Status.CRITICAL if odd else Status.OK)
        points = {one.id for one in kit.store.points(SET)}
        assert {hold.point for hold in kit.store.holds(SET)} <= points
        every = [kit.store.point(point) for _, point in kit.store.taken(SET)]
        proved = [p for p in every if p and kit.store.proofs(p.id)[-1].outcome.good]
        assert max((p.at, p.id) for p in proved)[1] in points, "the last proved point is lost"

    def insist(self) -> None:
        """At the end: everything there is is whole, and nothing else is there."""
        insist(self.kit)
        whole = self.kit.restic("main").check(limits=self.kit.limits("main", DAY), subset="100%")
        assert not whole.complaints
        expected = {Cause.LEAP, Cause.FUTURE, Cause.PROOF, Cause.ANOMALY, Cause.DAMAGE}
        assert self.frozen == expected
