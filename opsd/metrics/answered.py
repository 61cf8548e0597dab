"""How incidents were answered, as samples; everything from the history, so none is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opsd.metrics.table import Page
from opsd.policy import guards
from opsd.response import Breaker, Ending, Origin, Summary, Switch

_FAILURES = (
    Ending.NOT_MENDED,
    Ending.FAILED,
    Ending.PRECONDITION,
    Ending.UNKNOWN,
    Ending.STOPPED,
)
_RESUMED = {
    Ending.MENDED: "completed",
    Ending.NOT_MENDED: "completed",
    Ending.FAILED: "rolled_back",
    Ending.UNKNOWN: "handed_over",
    Ending.STOPPED: "handed_over",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """Every response there was, and how things stand."""

    configured: bool = False
    playbooks: Sequence[str] = ()
    responses: Sequence[Summary] = ()
    held_back: Mapping[tuple[str, str], int] = field(default_factory=dict)
    breakers: Sequence[Breaker] = ()
    switches: Mapping[str, Switch] = field(default_factory=dict)

    def on(self, name: str = "") -> bool:
        """Whether a switch stands at on: all, or one playbook."""
        switch = self.switches.get(name)
        return switch is None or switch.on


def tell(page: Page, answered: Answered | None) -> None:
    """Add it to the page; nothing where nobody answers here."""
    if answered is None:
        return
    page.add("opsd_automation_configured", answered.configured)
    page.add("opsd_automation_enabled", answered.on())
    for name in answered.playbooks:
        page.add("opsd_playbook_enabled", answered.on(name), name)
        mine = [one for one in answered.responses if one.playbook == name]
        _tell_counts(page, name, mine)
        _tell_state(page, name, mine)
        _tell_last(page, name, mine)
        unapproved = sum(_unapproved(one) for one in mine)
        for word in guards.WORDS:
            count = unapproved if word == "unapproved" else answered.held_back.get((name, word), 0)
            page.add("opsd_playbook_suppressions_total", count, name, word)
    _tell_breakers(page, answered.breakers)


def _tell_counts(page: Page, name: str, mine: Sequence[Summary]) -> None:
    ended = [one for one in mine if one.started_at is not None and one.ending is not None]
    origins, endings = Counter(o.origin for o in ended), Counter(o.ending for o in ended)
    resumed = Counter(_RESUMED.get(o.ending, "") for o in ended if o.after_crash and o.ending)
    for origin in Origin:
        page.add("opsd_playbook_runs_total", origins[origin], name, origin.value)
    for ending in _FAILURES:
        page.add("opsd_playbook_run_failures_total", endings[ending], name, ending.value)
    for word in ("completed", "rolled_back", "handed_over"):
        page.add("opsd_playbook_runs_resumed_total", resumed[word], name, word)
    page.add("opsd_playbook_verified_fixes_total", endings[Ending.MENDED], name)


def _tell_state(page: Page, name: str, mine: Sequence[Summary]) -> None:
    still = [one for one in mine if one.ending is None]
    waiting = [one.opened_at for one in still if one.started_at is None and one.persons]
    page.add(
        "opsd_playbook_runs_in_progress", sum(one.started_at is not None for one in still), name
    )
    page.add("opsd_playbook_runs_unresolved", sum(one.unresolved for one in mine), name)
    page.add("opsd_playbook_approvals_pending", len(waiting), name)
    oldest = min(waiting).timestamp() if waiting else 0
    page.add("opsd_playbook_oldest_pending_approval_timestamp_seconds", oldest, name)


def _tell_last(page: Page, name: str, mine: Sequence[Summary]) -> None:
    good = [one.ended_at for one in mine if one.ending is Ending.MENDED and one.ended_at]
    if good:
        page.add("opsd_playbook_last_success_timestamp_seconds", max(good).timestamp(), name)
    spans = [one.ended_at - one.started_at for one in mine if one.started_at and one.ended_at]
    if spans:
        page.add("opsd_playbook_last_duration_seconds", spans[-1].total_seconds(), name)
    reactions = [one.reaction for one in mine if one.reaction is not None and not one.persons]
    if reactions:
        page.add("opsd_playbook_last_reaction_seconds", reactions[-1].total_seconds(), name)


def _tell_breakers(page: Page, breakers: Sequence[Breaker]) -> None:
    state: dict[tuple[str, str], bool] = {}
    for one in breakers:
        key = one.playbook, one.host
        state[key] = state.get(key, False) or one.ended_at is None
    for (playbook, host), is_open in sorted(state.items()):
        page.add("opsd_playbook_breaker_open", is_open, playbook, host)


def _unapproved(one: Summary) -> bool:
    return one.ending is Ending.DENIED or (one.ending is Ending.EXPIRED and one.persons > 0)
