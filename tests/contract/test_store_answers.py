"""What the history promises of answers, records, signs of life and exposures, on both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.errors import StorageFailed
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.people import EntryKind
from opsd.playbook import Effect, Occasion, Plan, Step, say
from opsd.policy import chain
from opsd.response import (
    Call,
    Decision,
    Ending,
    Fate,
    Origin,
    Page,
    Response,
    StepEnd,
    Switch,
    Verdict,
    Vote,
)
from opsd.store import Notices, Place, Responses, Store
from opsd.wal import Exposure
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")

AT = datetime(2026, 11, 28, 3, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SAID = Finding(Severity.FAULT, "check.gone", {"what": "hồ sơ \x00 \udc80"}, "chi tiết")
STEP = Step("s", say("check.gone"), Effect.CHANGE, "h", ("true",), timeout=MINUTE)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Place:
    return stores.fresh() if request.param == "postgresql" else tmp_path / "opsd.sqlite"


@pytest.fixture
def responses(place: Place) -> Iterator[Responses]:
    with closing(Responses(place)) as found:
        yield found


def opened(responses: Responses) -> tuple[str, Response]:
    """An incident, and a response to it whose steps have begun."""
    one = CheckId("h", "disk", "/")
    code = responses.open_incident(Incident("", one, AT, AT, "full", SAID))
    occasion = Occasion(code, one, "full", AT, {"label": "'; DROP TABLE page"})
    plan = Plan((SAID,), (STEP,), {"log": "ờ"})
    made = Response(
        "x1", "p", Origin.INCIDENT, "", AT + MINUTE, AT + 9 * MINUTE, 1, "d1", occasion, plan
    )
    decision = Decision(code, AT, "p", Verdict.STARTED, ("calm",), (SAID,))
    responses.open_response(made, decision, Page(AT, Call.APPROVAL, code, "x1", SAID, {"a": "b"}))
    responses.start_response("x1", AT + 2 * MINUTE, "n1")
    return code, replace(made, started_at=AT + 2 * MINUTE, node="n1")


def test_an_answer_is_read_back_as_it_was(responses: Responses) -> None:
    code, made = opened(responses)
    held = Decision(code, AT + MINUTE, "q", Verdict.WAITING, ("quiet", "limit"))
    responses.decide(held)
    vote = Vote("x1", AT, "An", "d1", agreed=True, reason="được")
    responses.vote(vote)
    assert responses.response("x1") == made
    assert list(responses.open_responses()) == list(responses.responses_to(code)) == [made]
    (summary,) = responses.summaries(AT, [code])
    assert (summary.id, summary.incident, summary.places) == ("x1", code, ("h", "h"))
    assert responses.summaries(AT + 2 * MINUTE) == responses.summaries(incidents=["SC-0"]) == ()
    assert [one.verdict for one in responses.decisions(code)] == [Verdict.STARTED, Verdict.WAITING]
    assert responses.last_decisions([code, "SC-0"]) == {code: held}
    assert responses.held_back()["q", "limit"] == 1
    assert list(responses.votes("x1")) == [vote]
    (page,) = responses.pages()
    assert (page.call, page.said, page.attached) == (Call.APPROVAL, SAID, {"a": "b"})
    assert responses.pages(page.id) == ()


def test_a_step_is_begun_once_and_what_is_said_last_of_it_counts(responses: Responses) -> None:
    _, made = opened(responses)
    first = responses.intend("x1", "s", AT, AT + MINUTE)
    with pytest.raises(StorageFailed):
        responses.intend("x1", "s", AT, AT + MINUTE)
    back = responses.intend("x1", "s", AT, AT + MINUTE, undoing=True)
    unknown = StepEnd(first, AT, Fate.UNKNOWN, said=SAID)
    done = StepEnd(first, AT + MINUTE, Fate.DONE, 0, "xong \U0001f525", MINUTE)
    responses.end_step(unknown)
    responses.end_step(done)
    found = responses.attempts("x1")
    assert [(one.intent.id, one.intent.undoing) for one in found] == [(first, False), (back, True)]
    assert [one.end for one in found] == [done, None]
    ended = replace(made, ended_at=AT + 3 * MINUTE, ending=Ending.MENDED, said=SAID)
    responses.end_response(ended)
    with pytest.raises(StorageFailed):
        responses.end_response(replace(ended, ending=Ending.FAILED))
    assert responses.response("x1") == ended
    assert responses.open_responses() == ()
    (summary,) = responses.summaries()
    assert (summary.ending, summary.reaction) == (Ending.MENDED, 2 * MINUTE)


def test_breakers_and_switches_are_read_back_and_told_in_the_chain(responses: Responses) -> None:
    code, _ = opened(responses)
    responses.open_breaker("p", "h", Page(AT, Call.BREAKER, code, "x1", SAID))
    (breaker,) = responses.breakers()
    responses.close_breaker(breaker, AT + MINUTE, "An", "looked")
    assert responses.breakers() == ()
    assert [one.ended_at for one in responses.breakers(ended=True)] == [AT + MINUTE]
    off = Switch(AT, "p", on=False, who="An", reason="bảo trì")
    responses.turn(replace(off, on=True))
    responses.turn(off)
    assert responses.switches() == {"p": off}
    lines = list(responses.lines())
    assert [line.kind for line in lines][-3:] == ["breaker_end", "automation", "automation"]
    assert chain.breach(lines) is None


def test_the_record_of_an_incident_and_signs_of_life_are_read_back(place: Place) -> None:
    with closing(Notices(place)) as notices:
        one = Incident("", CheckId("h", "disk", "/"), AT, AT, "full", SAID)
        code = notices.open_incident(one)
        notices.add_entry(code, AT + MINUTE, "An", EntryKind.ACK, {"reason": "đang xem"})
        assert dict(notices.owned()) == {code: AT + MINUTE}
        notices.add_entry(code, AT + 2 * MINUTE, "An", EntryKind.CLOSE, {"reason": "xong"})
        assert [entry.kind for entry in notices.entries(code)] == [EntryKind.ACK, EntryKind.CLOSE]
        assert (dict(notices.owned()), notices.incidents()) == ({}, ())
        notices.add_ping("daily", "r1", "start", AT)
        with pytest.raises(StorageFailed):
            notices.add_ping("daily", "r1", "start", AT)
        assert notices.pinged("daily", "r1") == {"start"}
        assert notices.pinged("daily", "r2") == frozenset()


def test_an_exposure_is_read_back_with_its_end(place: Place) -> None:
    made = Exposure("e1", "dossiers", "database", AT, 0x1_0000_0100)
    with closing(Store(place)) as store:
        store.expose(made)
        assert list(store.exposures("dossiers")) == [made]
        store.protect("e1", AT + MINUTE, 0x1_0000_0200)
        assert list(store.exposures("dossiers")) == [
            replace(made, ended=AT + MINUTE, end=0x1_0000_0200)
        ]
        assert [line.kind for line in store.lines()] == ["exposure", "exposure_end"]
