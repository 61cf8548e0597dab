"""Why a playbook ran for an incident, or did not: everything about it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opsd.errors import UsageError
from opsd.model import Incident
from opsd.people import ALERT
from opsd.playbook import Occasion, occasion
from opsd.policy import guards
from opsd.policy.guards import Refusal, Wish
from opsd.response import Attempt, Decision, Page, Response, Vote
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import answering
from opsd.tasks.respond.situation import situation

_EVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """What was decided about an incident and done; `refusals` is what stands against it now."""

    incident: Incident
    playbook: str
    decisions: Sequence[Decision]
    responses: Sequence[tuple[Response, Sequence[Vote], Sequence[Attempt]]]
    refusals: Sequence[Refusal]
    pages: Sequence[Page]


def explain(means: Means, name: str) -> Story:
    """By the code of an incident, or the name of an alert: its newest. Raises `UsageError`."""
    incident = _found(means, name)
    found = occasion(incident)
    playbook = answering(means, found) or ""
    store = means.responses
    return Story(
        incident,
        playbook,
        store.decisions(incident.code),
        [
            (one, store.votes(one.id), store.attempts(one.id))
            for one in store.responses_to(incident.code)
        ],
        _against(means, playbook, found) if incident.closed_at is None else (),
        [page for page in store.pages() if page.incident == incident.code],
    )


def _found(means: Means, name: str) -> Incident:
    incidents = means.responses.incidents(_EVER)
    for one in incidents:
        if one.code == name or (one.id.check, one.id.subject) == (ALERT, name):
            return one
    raise UsageError("usage.no_incident_ever", name=name)


def _against(means: Means, playbook: str, found: Occasion) -> Sequence[Refusal]:
    if not playbook:
        return ()
    wish = Wish(playbook, means.playbooks[playbook].terms, found)
    return guards.against(wish, situation(means))
