"""Looking once, now, for a person or another monitor: nothing is remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from opsd.check import Round, Seen
from opsd.errors import OpsdError
from opsd.model import CheckId, CheckResult
from opsd.store import Watch
from opsd.tasks.check.patrol import REACH, Ask, Past, Posted, judged, reached, unreached

# Between the two looks of a check that compares.
_BETWEEN = timedelta(seconds=1)

Found = tuple[CheckId, CheckResult]


def look(host: str, posted: Sequence[Posted], ask: Ask, watch: Watch) -> Iterator[Found]:
    """The answers of these checks on a host; those that compare are asked twice."""
    try:
        seen = _ask(posted, ask)
        yield CheckId(host, REACH), reached(seen)
        first = {one.name: judged(one, _round(host, seen, watch)) for one in posted}
        silent = [one for one in posted if not first[one.name]]
        if silent:
            time.sleep(_BETWEEN.total_seconds())
            again = _ask(silent, ask)
            first |= {one.name: judged(one, _round(host, again, watch, seen)) for one in silent}
    except OpsdError as error:
        yield CheckId(host, REACH), unreached(error)
        return
    for name, results in first.items():
        for result in results:
            yield CheckId(host, name, result.subject), result


def _ask(posted: Sequence[Posted], ask: Ask) -> Seen:
    reads = {read.name: read for one in posted for read in one.check.reads()}
    return ask(tuple(reads.values()))


def _round(host: str, seen: Seen, watch: Watch, before: Seen | None = None) -> Round:
    return Round(host, seen, Past(watch, host, seen.at), before)
