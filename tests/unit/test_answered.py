"""What the metrics page tells of answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from opsd.metrics import Answered, Collector, Sources
from opsd.model import Status
from opsd.playbook import Consent, Plan, say
from opsd.response import Response, Switch
from opsd.tasks.respond.responding import Round, begin
from tests.responding import TERMS, Fixed, Scene, scene, touch

SAID = (say("check.gone"),)


def page(place: Scene) -> dict[str, float]:
    """The samples about answers, by their line without its value."""
    store, means = place.responses, place.means
    told = Answered(
        configured=True,
        playbooks=tuple(means.playbooks),
        responses=store.summaries(),
        held_back=store.held_back(),
        breakers=store.breakers(ended=True),
        switches=store.switches(),
    )
    sources = Sources(
        config=lambda: means.kit.config,
        store=means.kit.store,
        alive=lambda _: True,
        answered=lambda: told,
    )
    text = Collector(sources).page().text()
    lines = [line for line in text.splitlines() if line.startswith(("opsd_playbook", "opsd_auto"))]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def rounds(place: Scene) -> None:
    def submit(one: Response) -> None:
        begin(place.means, one)

    Round(lambda: place.means, submit).go()


def test_answers_are_counted_and_what_waits_is_told(tmp_path: Path) -> None:
    with scene(tmp_path / "state") as place:
        fix = Fixed(Plan(SAID, (touch(tmp_path / "mark"),)))
        place.use(fix=fix)
        assert page(place)['opsd_playbook_runs_total{playbook="fix",trigger="incident"}'] == 0
        first = place.incident()
        rounds(place)
        place.responses.close_incident(first.code, place.at)
        place.later(timedelta(minutes=1))
        place.incident()  # within the cooldown
        rounds(place)
        told = page(place)
        assert told["opsd_automation_enabled"] == 1
        assert told['opsd_playbook_runs_total{playbook="fix",trigger="incident"}'] == 1
        assert told['opsd_playbook_verified_fixes_total{playbook="fix"}'] == 1
        assert told['opsd_playbook_suppressions_total{playbook="fix",reason="cooldown"}'] == 1
        assert told['opsd_playbook_last_reaction_seconds{playbook="fix"}'] == 0
        place.later(timedelta(hours=2))
        asking = Fixed(fix.made, replace(TERMS, consent=Consent.TWO_PERSON))
        place.use(fix=asking)
        rounds(place)
        place.responses.turn(Switch(place.at, "fix", on=False, who="an", reason="storm"))
        told = page(place)
        assert told['opsd_playbook_approvals_pending{playbook="fix"}'] == 1
        waits = told['opsd_playbook_oldest_pending_approval_timestamp_seconds{playbook="fix"}']
        assert waits == place.at.timestamp()
        assert told['opsd_playbook_enabled{playbook="fix"}'] == 0
        assert told["opsd_automation_enabled"] == 1


def test_what_went_wrong_has_its_reason(tmp_path: Path) -> None:
    with scene(tmp_path / "state") as place:
        place.status = Status.CRITICAL
        place.use(fix=Fixed(Plan(SAID, (touch(tmp_path / "mark"),))))
        place.incident()
        rounds(place)
        told = page(place)
        failed = 'opsd_playbook_run_failures_total{playbook="fix",reason="not_mended"}'
        assert told[failed] == 1
        assert told['opsd_playbook_runs_unresolved{playbook="fix"}'] == 0
