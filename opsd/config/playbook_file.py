"""A site's own playbook, as it is written in a file of its own: every option, typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from opsd.config.options import Options, Truth
from opsd.config.playbook import Command, Names, Often
from opsd.config.units import Duration, PositiveDuration
from opsd.config.values import Name, Text
from opsd.config.wrong import wrong
from opsd.playbook import Condition, Consent, Effect

_STEP = r"^[a-z][a-z0-9_]{0,40}$"


def _step_name(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch(_STEP, found):
        raise wrong("step_name", found=found)
    return found


def _pattern(found: object) -> str:
    try:
        re.compile(found if isinstance(found, str) else "(")
    except re.error:
        raise wrong("regex", found=found) from None
    return str(found)


def _undo(found: object) -> tuple[str, ...]:
    """A command, or the word that there is none: nobody may forget to say it."""
    if found == "none":
        return ()
    words = found if isinstance(found, list | tuple) else ()
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise wrong("undo", found=found)
    return tuple(words)


StepName = Annotated[str, PlainValidator(_step_name), WithJsonSchema({"type": "string"})]
Pattern = Annotated[str, PlainValidator(_pattern), WithJsonSchema({"type": "string"})]
Undo = Annotated[tuple[str, ...], PlainValidator(_undo), WithJsonSchema({})]
Words = Annotated[tuple[Text, ...], Field(strict=False)]


class Saying(Options):
    """What a command must say. All that is written holds."""

    exit: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    """What it ends with. Default: 0, or anything where one of the others is written."""

    equals: str | None = None
    """Its whole output, without surrounding space."""

    matches: Pattern | None = None
    """A regular expression for its whole output."""

    at_least: float | None = None
    """The least that the first number in its output may be."""

    at_most: float | None = None
    """The most that it may be."""

    def condition(self, argv: tuple[str, ...]) -> Condition:
        """The same as the engine asks it, of a command."""
        others = (self.equals, self.matches, self.at_least, self.at_most)
        default = None if any(one is not None for one in others) else 0
        return Condition(
            argv=argv,
            exit_code=default if self.exit is None else self.exit,
            equals=self.equals,
            matches=self.matches,
            at_least=self.at_least,
            at_most=self.at_most,
        )


class Test(Saying):
    """A command without effect, and what it must say."""

    run: Command
    """The command, one word an item: no shell reads it."""

    as_root: Truth = False
    """Whether it is run as root."""

    timeout: PositiveDuration = timedelta(seconds=10)
    """After this it is ended there."""


class Glance(Saying):
    """Something to look at first. Its answer is attached."""

    name: StepName
    """What the answer is called."""

    run: Command
    """The command, one word an item."""

    timeout: PositiveDuration = timedelta(seconds=5)
    """After this it is ended there."""

    expected: Truth = False
    """Whether nothing is done unless the answer is as `exit`, `equals`, `matches`, `at_least` and
    `at_most` say."""


class WrittenStep(Options):
    """One thing to do."""

    id: StepName
    """Its name: small letters, digits and `_`."""

    purpose: Text
    """What it is for, in a person's words."""

    effect: Effect
    """`read` or `change`."""

    run: Command
    """The command, one word an item: no shell reads it."""

    timeout: PositiveDuration
    """After this it is ended there, with all that it began."""

    undo: Undo
    """The command that takes it back, or `none`."""

    as_root: Truth = False
    """Whether it is run as root, by sudo's list (`opsd host sudoers`)."""

    requires: Annotated[tuple[Test, ...], Field(strict=False)] = ()
    """What must hold just before."""

    done: Test | None = None
    """How one sees that it was done. A change must say it."""

    repeatable: Truth = False
    """Whether a second time does no harm."""

    shows_within: Duration = timedelta(seconds=5)
    """How soon it shows."""


class WrittenAnswers(Options):
    """What it answers: one of both at least."""

    checks: Mapping[Text, Words] = {}
    """Checks and probes, each with the causes that it answers; none: all of them."""

    alerts: Words = ()
    """Names of alerts from outside."""


class WrittenLimits(Options):
    """How much it may do before it leaves things to people."""

    cooldown: Duration
    """Rest between two responses on one host."""

    per_host: Often
    """Responses on one host `within` that time."""

    in_total: Often
    """Responses on all hosts `within` that time."""

    within: PositiveDuration
    """The time in which responses are counted."""

    breaker_after: Often = 3
    """After so many on one host `breaker_within` that time it rests until a person has looked."""

    breaker_within: PositiveDuration = timedelta(days=7)
    """The time in which the breaker counts."""


class PlaybookFile(Options):
    """One playbook. What has no default here nobody may leave to chance."""

    playbook: Name
    """Its name, no other playbook's."""

    title: Text
    """What it is called."""

    answers: WrittenAnswers
    """What it answers."""

    hosts: Annotated[Names, Field(min_length=1)]
    """The hosts (of `hosts`) that it may touch."""

    limits: WrittenLimits
    """How often it may."""

    approval: Consent
    """`auto`, `required` (one person) or `two_person`."""

    approval_expires: PositiveDuration = timedelta(minutes=15)
    """How long it waits for people; then the answer is no."""

    judged_within: PositiveDuration
    """How it is seen that it helped: so long after the last step the raising check is content."""

    look: Annotated[tuple[Glance, ...], Field(strict=False)] = ()
    """What is looked at first."""

    steps: Annotated[tuple[WrittenStep, ...], Field(strict=False, min_length=1)]
    """What is done, in this order."""
