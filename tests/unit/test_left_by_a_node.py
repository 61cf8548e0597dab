"""What a node had begun that is gone: another one settles it, where anybody can look."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.playbook import Plan, occasion, say
from opsd.response import Call, Ending, Fate, Origin
from opsd.store import Claims, Node
from opsd.tasks.respond.deciding import propose
from opsd.tasks.respond.planning import planned
from opsd.tasks.respond.recovering import settle
from tests.responding import Fixed, Scene, scene, touch

FREEZE = touch(Path("/"), "freeze", argv=(), host="", action="freeze_retention", done=None)


def begun_elsewhere(place: Scene, mark: Path, *, on_its_own_machine: bool) -> str:
    """A response that another node began and did not end; gives its id."""
    step = touch(mark) if on_its_own_machine else FREEZE
    place.use(fix=Fixed(Plan((say("check.gone"),), (step,))))
    made = planned(place.means, "fix", occasion(place.incident()))
    response = propose(place.means, made, Origin.INCIDENT, "")
    place.responses.start_response(response.id, place.at, "the-other")
    place.responses.intend(response.id, step.id, place.at, place.at + timedelta(seconds=5))
    return response.id


@pytest.mark.parametrize("on_its_own_machine", [True, False])
def test_what_a_node_left_that_is_gone_is_settled(on_its_own_machine: bool, tmp_path: Path) -> None:
    with scene(tmp_path / "state") as place:
        mark = tmp_path / "mark"
        mark.write_text("one\n")  # here it seems done: that says nothing about the other machine
        response = begun_elsewhere(place, mark, on_its_own_machine=on_its_own_machine)
        settle(place.means)
        assert place.responses.response(response).ended_at is None, "its deadline has not passed"  # type: ignore[union-attr]
        place.later(timedelta(minutes=1))
        settle(place.means)
        found = place.responses.response(response)
        assert found is not None
        assert found.ending is Ending.UNKNOWN
        assert [one.end and one.end.fate for one in place.responses.attempts(response)] == [
            Fate.UNKNOWN
        ]
        assert [page.call for page in place.responses.pages()] == [Call.UNKNOWN]


def test_what_a_living_node_does_is_its_own(tmp_path: Path) -> None:
    with scene(tmp_path / "state") as place:
        with closing(Claims(tmp_path / "state" / "opsd.sqlite")) as claims:
            claims.enter(Node("n2", "the-other", "elsewhere"), None)
        response = begun_elsewhere(place, tmp_path / "mark", on_its_own_machine=False)
        place.later(timedelta(hours=1))
        settle(place.means)
        found = place.responses.response(response)
        assert found is not None
        assert replace(found, ended_at=None) == found
