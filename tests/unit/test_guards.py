"""What stands against letting a playbook loose: each guard says no, for its reason alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsd.catalogue import SENTENCES
from opsd.model import CheckId, Maintenance
from opsd.playbook import (
    Answers,
    Condition,
    Consent,
    Effect,
    Limits,
    Occasion,
    Plan,
    Step,
    Terms,
    say,
)
from opsd.policy import guards, plans, sudo
from opsd.policy.guards import Situation, Wish
from opsd.response import Ending, Origin, Response, Summary, Switch

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TERMS = Terms(Answers({"units": frozenset()}), Limits(hosts_at_once=2))
FOUND = Occasion("SC-1", CheckId("db1", "units", "x.service"), "failed", NOW)
CALM = Situation(
    NOW,
    enabled=True,
    inventory=("db1", "db2", "web"),
    hosts_at_once=2,
    beside={"db1": frozenset({"db1", "db2"}), "db2": frozenset({"db1", "db2"})},
)


def step(host: str = "db1", **changes: object) -> Step:
    made = Step(
        "mend", say("check.gone"), Effect.CHANGE, host, ("/bin/true",), done=Condition(("true",))
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def plan(*hosts: str) -> Plan:
    return Plan((), tuple(step(host, id=f"mend_{n}") for n, host in enumerate(hosts)))


WISH = Wish("fix", TERMS, FOUND, plan("db1"))


def response(ago: timedelta, host: str = "db1", name: str = "fix") -> Response:
    at = NOW - ago
    found = replace(FOUND, id=CheckId(host, "units", "x.service"))
    return Response(
        f"r-{ago.total_seconds():g}",
        name,
        Origin.INCIDENT,
        "",
        at,
        at,
        0,
        "",
        found,
        plan(host),
        started_at=at,
    )


def over(ago: timedelta, host: str = "db1", name: str = "fix") -> Summary:
    at = NOW - ago
    places, origin = (host,), Origin.INCIDENT
    return Summary(
        f"r-{ago.total_seconds():g}",
        "SC-1",
        name,
        places,
        origin,
        persons=0,
        opened_at=at,
        started_at=at,
        ended_at=at,
        ending=Ending.MENDED,
        after_crash=False,
        unresolved=False,
        reaction=None,
    )


def past(*ago: timedelta, host: str = "db1", name: str = "fix") -> Situation:
    return replace(CALM, past=[over(one, host, name) for one in ago])


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORK = Maintenance("m", NOW - HOUR, NOW + HOUR, "new disks", "an", "db1", "")
OFF = Switch(NOW, "", on=False, who="an", reason="storm")

REFUSED: dict[str, tuple[Wish, Situation, list[str]]] = {
    "automation is not configured": (WISH, replace(CALM, enabled=False), ["guard.not_enabled"]),
    "the playbook is configured away": (
        replace(WISH, terms=replace(TERMS, enabled=False)),
        CALM,
        ["guard.playbook_not_enabled"],
    ),
    "all is switched off": (WISH, replace(CALM, switches={"": OFF}), ["guard.off"]),
    "it is switched off": (
        WISH,
        replace(CALM, switches={"fix": replace(OFF, playbook="fix")}),
        ["guard.playbook_off"],
    ),
    "a blackout goes on": (WISH, replace(CALM, blackout="rush"), ["guard.blackout"]),
    "maintenance goes on": (WISH, replace(CALM, maintenance=[WORK]), ["guard.maintenance"]),
    "a host that nobody knows": (
        replace(WISH, plan=plan("db9")),
        CALM,
        ["guard.inventory"],
    ),
    "a host with a hostile name": (
        replace(WISH, plan=plan("$(reboot)" * 50)),
        CALM,
        ["guard.inventory"],
    ),
    "a host that it never touches": (
        replace(WISH, terms=replace(TERMS, never=frozenset({"db1"}))),
        CALM,
        ["guard.not_allowed"],
    ),
    "a host that is not among its own": (
        replace(WISH, terms=replace(TERMS, hosts=frozenset({"web"}))),
        CALM,
        ["guard.not_allowed"],
    ),
    "more hosts at once than it may": (
        replace(WISH, terms=replace(TERMS, limits=Limits()), plan=plan("db1", "web")),
        CALM,
        ["guard.blast_radius"],
    ),
    "more hosts at once than all may": (
        replace(WISH, plan=plan("db1")),
        replace(CALM, hosts_at_once=1, under_way=[response(HOUR, "web")]),
        ["guard.hosts_at_once"],
    ),
    "both of a pair": (
        replace(WISH, plan=plan("db1", "db2")),
        CALM,
        ["guard.one_at_a_time"],
    ),
    "its host is busy": (
        WISH,
        replace(CALM, under_way=[response(HOUR, name="other")]),
        ["guard.busy"],
    ),
    "the other of the pair is busy": (
        WISH,
        replace(CALM, under_way=[response(HOUR, "db2", name="other")]),
        ["guard.busy"],
    ),
    "the same waits already": (
        WISH,
        replace(CALM, proposed=[response(HOUR)]),
        ["guard.duplicate"],
    ),
    "nobody knows what the last one did": (
        WISH,
        replace(CALM, unresolved=[over(2 * DAY)]),
        ["guard.unresolved"],
    ),
    "it was just done there": (WISH, past(timedelta(minutes=29)), ["guard.cooldown"]),
    "its quota for the host is used": (
        WISH,
        past(HOUR, 2 * HOUR, 23 * HOUR),
        ["guard.quota_host"],
    ),
    "its quota for all hosts is used": (
        replace(WISH, terms=replace(TERMS, limits=Limits(in_total=2))),
        past(HOUR, 2 * HOUR, host="web"),
        ["guard.quota_total"],
    ),
    "its breaker is open": (
        WISH,
        replace(CALM, breakers={("fix", "db1")}),
        ["guard.breaker_open"],
    ),
}

LET_GO: dict[str, tuple[Wish, Situation]] = {
    "all is calm": (WISH, CALM),
    "another playbook was just there": (WISH, past(timedelta(minutes=1), name="other")),
    "it was just done elsewhere": (WISH, past(timedelta(minutes=1), host="web")),
    "it has rested": (WISH, past(timedelta(minutes=31))),
    "its quota is from yesterday": (WISH, past(HOUR, 2 * HOUR, 25 * HOUR)),
    "it waits itself": (
        replace(WISH, response="r-3600"),
        replace(CALM, proposed=[response(HOUR)]),
    ),
    "by hand, whatever holds back automation": (
        replace(WISH, by_hand=True),
        replace(
            past(timedelta(minutes=1), HOUR, 2 * HOUR),
            enabled=False,
            blackout="rush",
            switches={"": OFF},
            breakers={("fix", "db1")},
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_guard_refuses_for_its_own_reason(case: str) -> None:
    wish, now, keys = REFUSED[case]
    assert [one.said.key for one in guards.against(wish, now)] == keys
    assert all(one.word in guards.WORDS for one in guards.against(wish, now))


@pytest.mark.parametrize("case", LET_GO)
def test_what_no_guard_concerns_is_let_go(case: str) -> None:
    wish, now = LET_GO[case]
    assert guards.against(wish, now) == ()


def test_every_guard_of_the_catalogue_is_tried() -> None:
    tried = {key for _, _, keys in REFUSED.values() for key in keys}
    assert tried == {key for key in SENTENCES if key.startswith("guard.")}


@pytest.mark.parametrize("times", range(5))
def test_a_breaker_opens_when_the_same_is_needed_again_and_again(times: int) -> None:
    now = past(*(n * DAY for n in range(1, times + 1)))
    assert guards.breaks(WISH, now) == (("db1",) if times >= 3 else ())


# --- plans

ALLOWED = replace(TERMS, privileges=(("/bin/true",), ("/bin/kill", r"^[0-9]{1,7}$")))
ACTIONS = {"freeze_retention": Effect.CHANGE, "look_at": Effect.READ}
FLAWS: dict[str, tuple[Plan, Terms, str]] = {
    "two steps of one name": (Plan((), (step(), step())), TERMS, "plan.step_id"),
    "a name that is none": (Plan((), (step(id="$(id)"),)), TERMS, "plan.step_id"),
    "neither command nor action": (Plan((), (step(argv=()),)), TERMS, "plan.argv_or_action"),
    "a command without host": (Plan((), (step(host=""),)), TERMS, "plan.no_host"),
    "an action that is none": (
        Plan((), (step(argv=(), action="format"),)),
        TERMS,
        "plan.no_action",
    ),
    "an action that does more than is said": (
        Plan((), (step(argv=(), action="freeze_retention", effect=Effect.READ),)),
        TERMS,
        "plan.no_action",
    ),
    "a change that does not show": (Plan((), (step(done=None),)), TERMS, "plan.no_done"),
    "no deadline": (Plan((), (step(timeout=timedelta()),)), TERMS, "plan.timeout"),
    "a deadline of a week": (Plan((), (step(timeout=7 * DAY),)), TERMS, "plan.timeout"),
    "a NUL": (Plan((), (step(argv=("true", "a\0b")),)), TERMS, "plan.bad_word"),
    "an empty command": (Plan((), (step(argv=("",)),)), TERMS, "plan.bad_word"),
    "a word that is too long": (
        Plan((), (step(argv=("true", "x" * (1 << 17))),)),
        TERMS,
        "plan.too_long",
    ),
    "words that are too long together": (
        Plan((), (step(argv=("true", *("x" * 100_000 for _ in range(11)))),)),
        TERMS,
        "plan.too_long",
    ),
    "root for what is not listed": (
        Plan((), (step(argv=("/bin/rm", "-rf", "/"), privileged=True),)),
        ALLOWED,
        "plan.not_privileged",
    ),
    "root for more words than are listed": (
        Plan((), (step(argv=("/bin/true", "more"), privileged=True),)),
        ALLOWED,
        "plan.not_privileged",
    ),
    "root for a word that does not fit": (
        Plan((), (step(argv=("/bin/kill", "12; reboot"), privileged=True),)),
        ALLOWED,
        "plan.not_privileged",
    ),
    "an undo as root that is not listed": (
        Plan((), (step(privileged=True, undo=("/bin/rm", "x")),)),
        ALLOWED,
        "plan.not_privileged",
    ),
    "a change before retention is frozen": (
        Plan((), (step(),)),
        replace(TERMS, freezes_first=True),
        "plan.freeze_first",
    ),
}


@pytest.mark.parametrize("case", FLAWS)
def test_a_plan_with_a_flaw_is_not_run(case: str) -> None:
    made, terms, key = FLAWS[case]
    assert key in [flaw.key for flaw in plans.flaws(made, terms, ACTIONS)]


def test_every_flaw_of_the_catalogue_is_tried() -> None:
    tried = {key for _, _, key in FLAWS.values()}
    assert tried == {key for key in SENTENCES if key.startswith("plan.")}


def test_a_sound_plan_has_no_flaws() -> None:
    frozen = step(host="", argv=(), action="freeze_retention", id="freeze", done=None)
    kill = step(argv=("/bin/kill", "123"), privileged=True)
    made = Plan((), (frozen, kill, step(id="long", argv=("true", "x" * 100 * 1024))))
    assert list(plans.flaws(made, replace(ALLOWED, freezes_first=True), ACTIONS)) == []


CHANGES: dict[str, Callable[[Step], Step]] = {
    "another host": lambda one: replace(one, host="db2"),
    "another word": lambda one: replace(one, argv=("/bin/true", "")),
    "as root": lambda one: replace(one, privileged=True),
    "another precondition": lambda one: replace(one, requires=(Condition(("true",)),)),
    "another undo": lambda one: replace(one, undo=("true",)),
    "another proof": lambda one: replace(one, done=Condition(("true",), equals="x")),
    "more time": lambda one: replace(one, timeout=DAY),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_digest_changes_with_everything_that_would_be_done(case: str) -> None:
    places = {"db1": "opsd@10.0.0.1:22", "db2": "opsd@10.0.0.1:22"}
    before = plans.digest("fix", Plan((), (step(),)), places)
    assert plans.digest("fix", Plan((), (CHANGES[case](step()),)), places) != before
    assert plans.digest("fix", Plan((say("check.gone"),), (step(),), {"a": "b"}), places) == before
    assert plans.digest("other", Plan((), (step(),)), places) != before
    moved = {**places, "db1": "opsd@10.0.0.9:22"}
    assert plans.digest("fix", Plan((), (step(),)), moved) != before


HOLDS: dict[str, tuple[Condition, int, str, bool]] = {
    "it ended well": (Condition(("x",)), 0, "", True),
    "it ended badly": (Condition(("x",)), 1, "", False),
    "however it ended": (Condition(("x",), exit_code=None), 3, "", True),
    "the same": (Condition(("x",), equals="active"), 0, " active\n", True),
    "not the same": (Condition(("x",), equals="active"), 0, "inactive\n", False),
    "it matches": (Condition(("x",), matches="in?active"), 0, "inactive", True),
    "a part that matches is too little": (
        Condition(("x",), matches="active"),
        0,
        "inactive",
        False,
    ),
    "enough": (Condition(("x",), at_least=80), 0, "Use%\n 95%\n", True),
    "too little": (Condition(("x",), at_least=80), 0, " 79%", False),
    "not too much": (Condition(("x",), at_most=10), 0, "10\t/var", True),
    "too much": (Condition(("x",), at_most=10), 0, "10.5\t/var", False),
    "no number at all": (Condition(("x",), at_most=10), 0, "du: cannot access", False),
}


@pytest.mark.parametrize("case", HOLDS)
def test_a_condition_holds_when_all_that_it_names_does(case: str) -> None:
    condition, exit_code, output, holds = HOLDS[case]
    assert plans.holds(condition, exit_code, output) is holds


def test_two_persons_are_two() -> None:
    assert [one.persons for one in (Consent.AUTO, Consent.REQUIRED, Consent.TWO_PERSON)] == [
        0,
        1,
        2,
    ]


def test_sudo_is_allowed_each_command_under_a_deadline_and_nothing_else() -> None:
    text = sudo.rules("opsd", [("/bin/kill", "-9", "^[0-9]+$"), ("/bin/true",), ("/bin/true",)])
    begin = r"opsd ALL=(root) NOPASSWD: /usr/bin/timeout ^-k 1 [0-9]{1,6}(\.[0-9]{1,6})? "
    assert text.splitlines()[1:] == [f"{begin}/bin/kill -9 [0-9]+$", f"{begin}/bin/true$"]
