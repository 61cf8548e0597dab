"""What each playbook plans, and what it refuses to plan: facts in, plan out, nothing is asked."""

from __future__ import annotations

import shlex

import pytest

from opsd.catalogue import SENTENCES
from opsd.check import Answer
from opsd.config.playbooks import Playbooks
from opsd.model import CheckId
from opsd.playbook import Ask, Consent, Effect, Facts, Occasion
from playbooks import PLAYBOOKS
from tests.playing import NOW, Case, flaws, made
from tests.playing_backups import BACKUP_CASES
from tests.playing_hosts import HOST_CASES

CASES = (*HOST_CASES, *BACKUP_CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_facts_become_a_plan(case: Case) -> None:
    playbook, plan = case.planned()
    assert [one.key.rpartition(".")[2] for one in plan.diagnosis] == list(case.says)
    assert [step.id for step in plan.steps] == list(case.does)
    assert plan.passes_on is case.passes_on
    assert flaws(playbook, plan) == []
    for one in (*plan.diagnosis, *(step.purpose for step in plan.steps)):
        assert one.key in SENTENCES or one.key.startswith("playbook.service")
        SENTENCES[one.key].en.format(**one.fields)


def test_every_playbook_has_a_row_that_acts_or_says_why_it_never_does() -> None:
    acting = {case.playbook for case in CASES if case.does}
    assert set(PLAYBOOKS) - acting == {"upstream_down"}
    assert {case.playbook for case in CASES if not case.does} == set(PLAYBOOKS) - {"mass_change"}


def test_what_deletes_isolates_switches_or_restores_needs_people() -> None:
    consent = {name: getattr(Playbooks(), name).approval for name in PLAYBOOKS}
    auto = {name for name, one in consent.items() if one is Consent.AUTO}
    assert auto == {
        "disk_full",
        "disk_slow",
        "clock_skew",
        "database_down",
        "web_down",
        "backup_failed",
        "mass_change",
    }
    two = {name for name, one in consent.items() if one is Consent.TWO_PERSON}
    assert two == {"host_unreachable", "repository_damaged", "isolate_host", "restore_member"}


def test_a_draft_for_the_partner_is_in_both_languages_where_it_may_be_theirs() -> None:
    for case in CASES:
        if case.playbook == "upstream_down":
            _, plan = case.planned()
            drafts = {name for name in plan.attached if name.startswith("message.")}
            wanted = (
                {"message.vi", "message.en"} if case.says[0] in {"theirs", "unclear"} else set()
            )
            assert drafts == wanted


HOSTILE = (
    "'; reboot #",
    '"$(reboot)"',
    "a\nb\n`reboot`",
    "$(reboot)" * 11_000,
    "-rf /",
    "../..",
    "\x1b[2J",
)


@pytest.mark.parametrize("word", HOSTILE, ids=lambda word: repr(word[:12]))
@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_what_anybody_may_write_is_one_quoted_argument(name: str, word: str) -> None:
    """A subject, a host and labels as an attacker writes them: looked at, and planned from."""
    playbook = made(name)
    for check in (*playbook.terms.answers.checks, "alert"):
        found = Occasion("", CheckId("h", check, word), word, NOW, {"subject": word, "check": word})
        for question in playbook.look(found):
            if isinstance(question, Ask):
                assert only_quoted(question.read.script, word)
        facts = Facts(
            NOW, {("h", "spared"): Answer(word), ("h", "writers"): Answer(f"1 9999999 {word}")}
        )
        plan = playbook.plan(found, facts)
        for step in plan.steps:
            for argv in (step.argv, *(c.argv for c in step.requires)):
                assert all(word not in part or part == word for part in argv)
            assert step.effect is Effect.READ or step.done or step.action


def only_quoted(script: str, word: str) -> bool:
    """Whether a word stands in a script only as its shell quoting."""
    return word not in script.replace(shlex.quote(word), "")


def test_the_check_for_quoting_sees_what_is_not_quoted() -> None:
    assert not only_quoted("du -sk $(reboot)", "$(reboot)")
    assert only_quoted("du -sk '$(reboot)'", "$(reboot)")
