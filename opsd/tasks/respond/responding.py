"""One response from its opening to its end, and what a running daemon does again and again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from opsd.drivers import lock
from opsd.errors import OpsdError
from opsd.policy import guards, plans
from opsd.policy.guards import Wish
from opsd.response import Decision, Ending, Response, Verdict
from opsd.tasks.respond.deciding import consider, ready, refuse, undecided
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import planned
from opsd.tasks.respond.recovering import died, recover
from opsd.tasks.respond.running import held, run
from opsd.tasks.respond.situation import common, situation

log = logging.getLogger(__name__)

_STARTING = ".start"
_PATIENCE = timedelta(seconds=10)
_FRESH = timedelta(seconds=5)  # a plan this young needs no second look
_AGAIN = timedelta(seconds=15)  # what waits is looked at again after this


def begin(means: Means, made: Response) -> Ending | None:
    """Begin a response that was agreed to, and carry it to its end.

    None where something else is under way and it must wait. A plan that is not what it was is not
    run, whoever agreed to it. One that was begun by a process that died is settled.
    """
    if made.started_at is not None:
        return recover(means, made)
    try:
        with held(means, made):
            if means.now - made.opened_at > _FRESH and _changed(means, made):
                refuse(means, made, Ending.CHANGED)
                return Ending.CHANGED
            return run(means, made) if _started(means, made) else None
    except lock.Busy:
        return None


def _changed(means: Means, made: Response) -> bool:
    """Whether another look gives another plan. The rest of a plan is what it is."""
    if made.playbook not in means.playbooks:
        return True
    if made.resumes:
        return plans.digest(made.playbook, made.plan, means.reach.places()) != made.digest
    by_hand = made.who != ""
    return planned(means, made.playbook, made.occasion, by_hand=by_hand).digest != made.digest


def _started(means: Means, made: Response) -> bool:
    """Whether it was started: all guards looked once more, and one at a time."""
    place = means.kit.config.state / "targets" / _STARTING
    terms = means.playbooks[made.playbook].terms
    wish = Wish(made.playbook, terms, made.occasion, made.plan, made.who != "", made.id)
    with lock.lease(place, made.id, wait=_PATIENCE, stop=means.stop):
        if guards.against(wish, situation(means, made.occasion)):
            return False
        means.responses.start_response(made.id, means.now, means.kit.config.host)
    return True


class Round:
    """What is done again and again: settle what died, decide what is open, begin what may begin.

    `submit` runs a response beside others.
    """

    def __init__(self, means: Callable[[], Means], submit: Callable[[Response], None]) -> None:
        self._means = means
        self._submit = submit
        self._looked: dict[str, datetime] = {}

    def go(self) -> None:
        """One round. Raises `StorageFailed` where the history cannot be read or written."""
        means = self._means()
        for one in died(means):
            self._submit(one)
        questions = undecided(means)
        still = {incident.code for incident, _ in questions}
        self._looked = {code: at for code, at in self._looked.items() if code in still}
        due = [one for one in questions if self._due(one[0].code, one[1], means.now)]
        base = common(means) if due else None
        for incident, last in due:
            try:
                if consider(means, incident, last, base):
                    base = common(means)
            except OpsdError as error:
                log.error("%s: %s", incident.code, error)  # noqa: TRY400
        for one in ready(means):
            self._submit(one)

    def _due(self, code: str, last: Decision | None, now: datetime) -> bool:
        """Whether it is time to look: at once at first, now and then while it waits."""
        if last is not None and last.verdict is Verdict.WAITING:
            looked = self._looked.get(code)
            if looked is not None and timedelta() <= now - looked < _AGAIN:
                return False
        self._looked[code] = now
        return True
