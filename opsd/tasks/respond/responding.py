"""One response from its opening to its end, and what a running daemon does again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from opsd.drivers import lock
from opsd.errors import Cancelled, OpsdError
from opsd.model import Incident
from opsd.playbook import occasion
from opsd.policy import guards, plans
from opsd.policy.guards import Wish
from opsd.response import Decision, Ending, Response, Verdict
from opsd.tasks.respond.deciding import Bench, consider, ready, refuse, undecided
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import planned
from opsd.tasks.respond.recovering import died, recover
from opsd.tasks.respond.running import held, run
from opsd.tasks.respond.situation import situation

log = logging.getLogger(__name__)

_STARTING = ".start"
_HERE = threading.Lock()  # who waits for a thread of ours need not ask the file again and again
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
    with _HERE, lock.lease(place, made.id, wait=_PATIENCE, stop=means.stop):
        if guards.against(wish, situation(means)):
            return False
        means.responses.start_response(made.id, means.now, means.kit.config.host)
    return True


def at_once(work: Callable[[], None]) -> None:
    """Look now, and do nothing else meanwhile."""
    work()


class Round:
    """What is done again and again: settle what died, decide what is open, begin what may begin.

    `submit` runs a response beside others, `beside` a look: one that takes long holds up no other.
    One that is ready while it is looked at may be submitted twice; it begins once. About one place
    one look goes on at a time. `more` is told that another one waits for its turn.
    """

    def __init__(
        self,
        means: Callable[[], Means],
        submit: Callable[[Response], None],
        beside: Callable[[Callable[[], None]], object] = at_once,
        more: Callable[[], None] = lambda: None,
    ) -> None:
        self._means = means
        self._submit = submit
        self._beside = beside
        self._more = more
        self._looked: dict[str, datetime] = {}
        self._bench = Bench()
        self._lock = threading.Lock()
        self._places: dict[str, bool] = {}  # looked at just now, and whether another look waits
        self._number = 0
        self._last: dict[str, int] = {}  # the round in which the look at an incident ended

    def go(self) -> None:
        """One round. Raises `StorageFailed` where the history cannot be read or written."""
        means = self._means()
        self._number += 1
        for one in died(means):
            self._submit(one)
        questions = undecided(means)
        still = {incident.code for incident, _ in questions}
        self._looked = {code: at for code, at in self._looked.items() if code in still}
        with self._lock:
            self._last = {c: n for c, n in self._last.items() if n == self._number}
        self._bench.clear()
        for incident, last in questions:
            place = occasion(incident).place
            if self._due(incident.code, last, means.now) and self._take(place, incident.code):
                self._looked[incident.code] = means.now
                self._beside(partial(self._look, means, incident, last, place))
        for one in ready(means):
            self._submit(one)

    def _due(self, code: str, last: Decision | None, now: datetime) -> bool:
        """Whether it is time to look: at once at first, now and then while it waits."""
        looked = self._looked.get(code)
        waits = last is not None and last.verdict is Verdict.WAITING
        return not (waits and looked is not None and timedelta() <= now - looked < _AGAIN)

    def _take(self, place: str, code: str) -> bool:
        """Whether nobody looks there, or decided since this round read what is open."""
        with self._lock:
            if place in self._places:
                self._places[place] = True
                return False
            if self._last.get(code) == self._number:
                return False
            self._places[place] = False
            return True

    def _look(self, means: Means, incident: Incident, last: Decision | None, place: str) -> None:
        try:
            made = consider(means, incident, last, self._bench)
            if made is not None and not made.persons:
                self._submit(made)
        except Cancelled:
            log.info("%s: the look was cut off: opsd ends", incident.code)
        except OpsdError as error:
            log.error("%s: %s", incident.code, error)  # noqa: TRY400
        except Exception:
            log.exception("%s: opsd itself failed", incident.code)
        finally:
            with self._lock:
                waits = self._places.pop(place)
                self._last[incident.code] = self._number
            if waits:
                self._more()
