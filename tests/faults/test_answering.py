"""`kill -9` before, within and after every step: nothing is done twice, nothing stays unsaid."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.response import Call, Ending, Fate
from opsd.tasks.respond.recovering import settle
from tests.faults.answering import child, playbook, until
from tests.responding import Scene, scene

# (what it said, how many times, seconds to wait then), by whether the last step fails
MOMENTS: dict[str, tuple[str, int, float, bool]] = {
    "before it starts": ("before do freeze", 1, 0.0, False),
    "as it starts": ("started", 1, 0.0, False),
    "as an action is intended": ("intends do freeze", 1, 0.0, False),
    "as an action ends": ("before end", 1, 0.0, False),
    "between two steps": ("ended done", 1, 0.0, False),
    "before a change": ("before do one", 1, 0.0, False),
    "as a change is intended": ("intends do one", 1, 0.0, False),
    "early in a change": ("intends do one", 1, 0.08, False),
    "late in a change": ("intends do one", 1, 0.25, False),
    "as a change ends": ("before end", 2, 0.0, False),
    "before one that nothing takes back": ("before do two", 1, 0.0, False),
    "early in one that nothing takes back": ("intends do two", 1, 0.08, False),
    "late in one that nothing takes back": ("intends do two", 1, 0.25, False),
    "before it is judged": ("ended done", 3, 0.0, False),
    "before it is over": ("before over", 1, 0.0, False),
    "as a step fails": ("before end", 4, 0.0, True),
    "after a step failed": ("ended failed", 1, 0.0, True),
    "before something is taken back": ("before undo fails", 1, 0.0, True),
    "as something is taken back": ("intends undo one", 1, 0.0, True),
    "after something was taken back": ("ended undone", 2, 0.0, True),
}


# One of each kind; all of them are for `make soak`.
SOME = (
    "late in one that nothing takes back",
    "before it is over",
    "as something is taken back",
)


@pytest.mark.parametrize("moment", SOME)
def test_whenever_it_is_killed_each_step_is_settled(moment: str, tmp_path: Path) -> None:
    killed(moment, tmp_path)


def killed(moment: str, place: Path) -> None:
    """Kill it at that moment, let the next one settle it, and look at what is said then."""
    word, times, wait, fails = MOMENTS[moment]
    state = place / "state"
    with child(state, fails=fails) as process:
        assert until(process, word, times), "the moment never came"
        time.sleep(wait)
        process.kill()
        process.wait()
    with scene(state) as made:
        made.use(fix=playbook(state / "mark", fails=fails))
        made.at = now()
        settle(made.means)
        made.at = now() + timedelta(hours=1)
        settle(made.means)
        _judge(made, state / "mark", fails=fails)


def _judge(place: Scene, mark: Path, *, fails: bool) -> None:
    (incident,) = place.responses.incidents()
    (response,) = place.responses.responses_to(incident.code)
    done = mark.read_text().split() if mark.exists() else []
    assert len(done) == len(set(done)), "something was done twice"
    attempts = place.responses.attempts(response.id)
    if response.started_at is None:
        assert (done, attempts) == ([], ())
        return
    assert response.ending is not None, "it runs for ever"
    begun = [(one.intent.step, one.intent.undoing) for one in attempts]
    assert len(begun) == len(set(begun)), "something was begun twice"
    fates: dict[str, Fate] = {}
    for one in attempts:
        assert one.end is not None, "nobody says what became of it"
        fates[one.intent.step] = one.end.fate
    for step, word in (("one", "one"), ("two", "two")):
        if fates.get(step) is Fate.DONE:
            assert word in done
        if fates.get(step) in {Fate.UNDONE, Fate.FAILED}:
            assert word not in done
    calls = [page.call for page in place.responses.pages()]
    unknown = Fate.UNKNOWN in fates.values()
    assert (response.ending is Ending.UNKNOWN) is unknown
    assert (Call.UNKNOWN in calls) is unknown
    assert bool(calls) is (response.ending is not Ending.MENDED)
    if fails and response.ending is not Ending.STOPPED and not unknown:
        assert response.ending is Ending.FAILED


def test_left_alone_it_comes_to_its_end(tmp_path: Path) -> None:
    with child(tmp_path / "state", fails=False) as process:
        assert until(process, "over", 1)
    with scene(tmp_path / "state") as place:
        (response,) = place.responses.responses_to(place.responses.incidents()[0].code)
        assert response.ending is Ending.MENDED
    assert (tmp_path / "state" / "mark").read_text() == "one\ntwo\n"
