"""A site's own playbook: the example is right, a mistake has its place, and words stay words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.app import shelf
from opsd.catalogue import Language
from opsd.check import Answer
from opsd.config import load, playbook_files
from opsd.config.mistakes import ConfigMistakes
from opsd.config.playbook_files import Known
from opsd.model import CheckId
from opsd.playbook import Ask, Consent, Effect, Facts, Occasion
from opsd.tasks.respond.written import Written
from playbooks import PLAYBOOKS
from tests.playing import NOW, flaws

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "playbook.example.yaml"
NAMES = Known(("db1", "web1"), ("units", "clock", "backup"), PLAYBOOKS)
TEXT = EXAMPLE.read_text(encoding="utf-8")
FOUND = Occasion("SC-1", CheckId("db1", "units", "mail@1.service"), "unit_down", NOW)


def written(text: str = TEXT) -> Written:
    return Written(playbook_files.parse(text, NAMES))


def facts(state: str = "failed\n") -> Facts:
    return Facts(NOW, {("db1", "state"): Answer(state, 3), ("db1", "log"): Answer("says\n")})


def lines(old: str, new: str, language: Language = Language.EN) -> list[str]:
    assert old in TEXT
    with pytest.raises(ConfigMistakes) as caught:
        playbook_files.parse(TEXT.replace(old, new), NAMES, "f.yaml")
    return list(caught.value.lines(language))


def test_the_example_becomes_the_same_steps_as_one_in_python() -> None:
    playbook = written()
    plan = playbook.plan(FOUND, facts())
    (step,) = plan.steps
    assert step.argv == ("/usr/bin/systemctl", "start", "mail@1.service")
    assert (step.effect, step.host, step.privileged, step.undo) == (
        Effect.CHANGE,
        "db1",
        True,
        None,
    )
    assert step.timeout == timedelta(minutes=1)
    assert step.requires[0].at_most == 95
    assert step.done is not None
    assert step.done.exit_code == 0
    assert plan.attached == {"state": "failed\n", "log": "says\n"}
    assert flaws(playbook, plan) == []
    assert playbook.terms.consent is Consent.REQUIRED
    assert playbook.terms.hosts == frozenset({"db1"})
    assert playbook.terms.limits.per_host == 2
    assert playbook.terms.answers.fit(FOUND)
    assert not playbook.terms.answers.fit(replace(FOUND, cause="unit_starting"))


def test_what_is_not_as_expected_is_handed_over() -> None:
    plan = written().plan(FOUND, facts("active\n"))
    assert [one.key for one in plan.diagnosis] == ["playbook.site.not_as_expected"]
    assert plan.steps == ()
    assert written().plan(FOUND, Facts(NOW)).steps == ()


@pytest.mark.parametrize("word", ["-f", "--now", ""])
def test_a_word_that_would_become_an_option_is_not_run(word: str) -> None:
    found = replace(FOUND, id=CheckId("db1", "units", word))
    plan = written().plan(found, facts())
    assert [one.key for one in plan.diagnosis] == ["playbook.site.odd_word"]
    assert plan.steps == ()


@pytest.mark.parametrize("word", ["a b", "$(reboot)", "x'; reboot", "a\nb", "{label.x}"])
def test_a_hostile_word_stays_one_argument_and_is_never_run_as_root(word: str) -> None:
    playbook, found = written(), replace(FOUND, id=CheckId("db1", "units", word))
    asked = [one.read.script for one in playbook.look(found) if isinstance(one, Ask)]
    assert all("'" in script for script in asked)
    plan = playbook.plan(found, facts())
    assert plan.steps[0].argv == ("/usr/bin/systemctl", "start", word)
    assert flaws(playbook, plan) == ["plan.not_privileged"]


WRONG = {
    "a mode that is misspelt": (
        "approval: required",
        "approval: requird",
        [
            "f.yaml:22:11: approval: must be one of:",
        ],
    ),
    "an option that is misspelt": (
        "    repeatable: true",
        "    repeatabel: true",
        ["f.yaml:56:5: steps[0].repeatabel: there is no such option (did you mean repeatable?)"],
    ),
    "no undo": (
        "    undo: none\n",
        "",
        ["f.yaml:38:5: steps[0].undo: this option is required and missing"],
    ),
    "an undo that is no command": ("undo: none", "undo: nothing", ["must be the command"]),
    "a change without evidence": ("    done:\n", "    done: ~\n    x:\n", ["how one sees"]),
    "a host that is not there": ("hosts: [db1]", "hosts: [db11]", ["did you mean db1?"]),
    "a check that is not there": ("    units: [", "    unitz: [", ["did you mean units?"]),
    "no answers": ("  alerts: [QueueStopped]", "", []),
    "a blank that is misspelt": (
        'start, "{subject}"]',
        'start, "{subjet}"]',
        ["did you mean subject?"],
    ),
    "a blank in a script": (
        'run: [/usr/bin/systemctl, start, "{subject}"]',
        'run: [sh, -c, "start {subject}"]',
        ["make it an argument of its own"],
    ),
    "a pattern that is none": ("matches: inactive|failed", "matches: '('", ["regular expression"]),
    "a name that is taken": ("playbook: queue-stopped", "playbook: disk_full", ["disk_full"]),
    "no limits": ("  cooldown: 30m\n", "", ["limits.cooldown: this option is required"]),
    "no deadline": ("    timeout: 1m\n", "", ["steps[0].timeout: this option is required"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_has_its_place_and_its_sentence(name: str) -> None:
    old, new, wanted = WRONG[name]
    if not wanted:
        playbook_files.parse(TEXT.replace(old, new), NAMES)
        return
    told = lines(old, new)
    assert all(any(one in line for line in told) for one in wanted), told
    assert all(line.startswith("f.yaml:") for line in told)
    assert lines(old, new, Language.VI) != told


def test_all_mistakes_are_told_in_one_go() -> None:
    with pytest.raises(ConfigMistakes) as caught:
        playbook_files.parse("playbook: X\nhosts: [nobody]\nsteps:\n  - id: 1\n", NAMES, "f")
    said = "\n".join(caught.value.lines(Language.EN))
    for one in ("playbook", "hosts[0]", "steps[0].id", "title", "answers", "limits", "approval"):
        assert f" {one}:" in said, said


def test_a_directory_is_read_and_the_sites_own_are_asked_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXT)
    config = load.load(DOCS / "opsd.example.yaml")
    own = config.automation.model_copy(update={"playbooks": tmp_path})
    found = shelf(config.model_copy(update={"automation": own}))
    assert list(found) == ["queue-stopped", *PLAYBOOKS]
    (tmp_path / "b.yaml").write_text(TEXT)
    with pytest.raises(ConfigMistakes):
        shelf(config.model_copy(update={"automation": own}))


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    _, bad = playbook_files.load_all(tmp_path / "gone", NAMES)
    assert len(bad) == 1
