"""A site's own playbook, from its file: the same look and plan as one in Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsd.check import Read
from opsd.config.playbook_file import PlaybookFile, Test, WrittenStep
from opsd.playbook import (
    Answers,
    Ask,
    Condition,
    Facts,
    Limits,
    Occasion,
    Plan,
    Question,
    Step,
    Terms,
    say,
)
from opsd.policy import plans

_BLANK = re.compile(r"\{((?:label\.)?[A-Za-z_][A-Za-z0-9_]*)\}")
# What a command as root may be given: sudo's list must be able to say it.
_AS_ROOT = r"[A-Za-z0-9@._:/+-]+"


@dataclass(frozen=True, slots=True)
class Written:
    """Answers as its file says. What anybody may write stays inside one word of a command."""

    file: PlaybookFile

    @property
    def terms(self) -> Terms:
        """Everything but the plan."""
        own, limits = self.file, self.file.limits
        return Terms(
            answers=Answers(
                {check: frozenset(causes) for check, causes in own.answers.checks.items()},
                frozenset(own.answers.alerts),
            ),
            limits=Limits(
                cooldown=limits.cooldown,
                per_host=limits.per_host,
                in_total=limits.in_total,
                within=limits.within,
                breaker_after=limits.breaker_after,
                breaker_within=limits.breaker_within,
            ),
            consent=own.approval,
            expires_after=own.approval_expires,
            hosts=frozenset(own.hosts),
            privileges=tuple(dict.fromkeys(map(_privilege, _as_root(own.steps)))),
            judged_within=own.judged_within,
            title=own.title,
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Each command by its name."""
        return tuple(
            Ask(found.host, Read(one.name, shlex.join(_filled(one.run, found)), one.timeout))
            for one in self.file.look
            if found.host
        )

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """All steps, where everything that was expected is so, and no word became an option."""
        own = self.file
        texts = {one.name: facts.answer(found.host, one.name).text for one in own.look}
        told = {name: text for name, text in texts.items() if text}
        for one in own.look:
            answer = facts.answer(found.host, one.name)
            code = answer.exit_code
            if one.expected and (
                code is None or not plans.holds(one.condition(one.run), code, answer.text)
            ):
                said = say("playbook.site.not_as_expected", title=own.title, look=one.name)
                return Plan((said,), (), told)
        if odd := next(_odd(own.steps, found), ""):
            said = say("playbook.site.odd_word", title=own.title, word=odd[:60])
            return Plan((said,), (), told)
        said = say("playbook.site.found", title=own.title, host=found.host or "-")
        return Plan((said,), tuple(_step(one, found) for one in own.steps), told)


def _step(one: WrittenStep, found: Occasion) -> Step:
    return Step(
        id=one.id,
        purpose=say("playbook.site.step", purpose=one.purpose),
        effect=one.effect,
        host=found.host,
        argv=_filled(one.run, found),
        privileged=one.as_root,
        requires=tuple(_condition(test, found) for test in one.requires),
        done=_condition(one.done, found) if one.done else None,
        undo=_filled(one.undo, found) or None,
        repeatable=one.repeatable,
        timeout=one.timeout,
        shows_within=one.shows_within,
    )


def _condition(test: Test, found: Occasion) -> Condition:
    made = test.condition(_filled(test.run, found))
    return Condition(
        made.argv,
        made.exit_code,
        made.equals,
        made.matches,
        made.at_least,
        made.at_most,
        test.as_root,
        test.timeout,
    )


def _filled(words: Iterable[str], found: Occasion) -> tuple[str, ...]:
    """The words with their blanks filled; each stays one word."""
    return tuple(_BLANK.sub(lambda blank: _value(blank[1], found), word) for word in words)


def _value(blank: str, found: Occasion) -> str:
    if blank.startswith("label."):
        return found.labels.get(blank.removeprefix("label."), "")
    values = {
        "host": found.host,
        "subject": found.labels.get("subject", "") if found.alert else found.id.subject,
        "cause": found.cause,
        "incident": found.incident,
    }
    return values.get(blank, "")


def _odd(steps: Iterable[WrittenStep], found: Occasion) -> Iterator[str]:
    """Words that became an option, or nothing, only by what was filled in."""
    for step in steps:
        tests = (*step.requires, *((step.done,) if step.done else ()))
        for words in (step.run, step.undo, *(test.run for test in tests)):
            for written, filled in zip(words, _filled(words, found), strict=True):
                if written != filled and (not filled or filled[0] == "-" != written[0]):
                    yield filled or written


def _as_root(steps: Iterable[WrittenStep]) -> Iterator[tuple[str, ...]]:
    for step in steps:
        if step.as_root:
            yield step.run
            if step.undo:
                yield step.undo
        for test in (*step.requires, *((step.done,) if step.done else ())):
            if test.as_root:
                yield test.run


def _privilege(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        "^" + _AS_ROOT.join(map(re.escape, _BLANK.sub("\0", word).split("\0")))
        if _BLANK.search(word)
        else word
        for word in words
    )
