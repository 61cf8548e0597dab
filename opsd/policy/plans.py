"""Plans as data: what is wrong with one, what it is known by, whether an answer is as demanded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd import record
from opsd.model import Finding, Severity
from opsd.playbook import Condition, Effect, Occasion, Plan, Step, Terms
from opsd.policy.guards import Refusal
from opsd.response import plain_step

# The kernel takes no longer argument, its end included.
LONGEST_ARGUMENT = (1 << 17) - 1
LONGEST_ARGV = 1 << 20
LONGEST_STEP = timedelta(hours=12)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_ID = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True, slots=True)
class Live:
    """What a condition of a step says just now; `holds` is None where nobody answers."""

    step: str
    condition: Condition
    holds: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What a playbook would do, by what it is known, and what stands against it."""

    playbook: str
    occasion: Occasion
    plan: Plan
    digest: str
    refusals: tuple[Refusal, ...]


# --- what it is known by


def digest(playbook: str, made: Plan, places: Mapping[str, str]) -> str:
    """What an approval is bound to: whose plan, where each host is, and every step to the letter.

    What is said about the plan is no part of it: a figure in the diagnosis may change meanwhile.
    """
    told = {
        "playbook": playbook,
        "places": {host: places.get(host, "") for host in made.targets},
        "steps": [plain_step(step) for step in made.steps],
    }
    return hashlib.sha256(record.to_json(told).encode()).hexdigest()


# --- what is wrong with one


def flaws(made: Plan, terms: Terms, actions: Mapping[str, Effect]) -> Iterator[Finding]:
    """Everything for which the engine would not run a plan, whatever the guards say."""
    seen: set[str] = set()
    for step in made.steps:
        if not _ID.fullmatch(step.id) or step.id in seen:
            yield _flaw("plan.step_id", step)
        seen.add(step.id)
        yield from _flaws_of(step, terms, actions)
    if terms.freezes_first and not freezes_first(made):
        yield Finding(Severity.FAULT, "plan.freeze_first")


def _flaws_of(step: Step, terms: Terms, actions: Mapping[str, Effect]) -> Iterator[Finding]:
    if bool(step.argv) == bool(step.action):
        yield _flaw("plan.argv_or_action", step)
    if step.argv and not step.host:
        yield _flaw("plan.no_host", step)
    if step.action and actions.get(step.action) is not step.effect:
        yield _flaw("plan.no_action", step, action=step.action)
    if step.argv and step.effect is Effect.CHANGE and step.done is None:
        yield _flaw("plan.no_done", step)
    if not timedelta() < step.timeout <= LONGEST_STEP:
        yield _flaw("plan.timeout", step)
    conditions = (*step.requires, *((step.done,) if step.done else ()))
    for argv, privileged in (
        (step.argv, step.privileged),
        (step.undo or (), step.privileged),
        *((one.argv, one.privileged) for one in conditions),
    ):
        yield from _flaws_of_argv(step, argv)
        if privileged and argv and not privileged_by(argv, terms.privileges):
            yield _flaw("plan.not_privileged", step, command=argv[0])


def _flaws_of_argv(step: Step, argv: tuple[str, ...]) -> Iterator[Finding]:
    sizes = [len(word.encode(errors="surrogateescape")) for word in argv]
    if any("\0" in word for word in argv) or (argv and not argv[0]):
        yield _flaw("plan.bad_word", step)
    if any(size > LONGEST_ARGUMENT for size in sizes) or sum(sizes) > LONGEST_ARGV:
        yield _flaw("plan.too_long", step)


def _flaw(key: str, step: Step, **fields: object) -> Finding:
    return Finding(Severity.FAULT, key, {"step": step.id[:60], **fields})


def privileged_by(argv: tuple[str, ...], allowed: Collection[tuple[str, ...]]) -> bool:
    """Whether a command is among those that may be run as root."""
    return any(len(argv) == len(pattern) and all(map(_fits, argv, pattern)) for pattern in allowed)


def _fits(word: str, pattern: str) -> bool:
    if pattern.startswith("^"):
        return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), word) is not None
    return word == pattern


def freezes_first(made: Plan) -> bool:
    """Whether nothing is changed before retention is frozen."""
    changes = [step for step in made.steps if step.effect is Effect.CHANGE]
    return not changes or changes[0].action == "freeze_retention"


# --- answers


def holds(condition: Condition, exit_code: int, output: str) -> bool:
    """Whether the answer of a command is as the condition demands."""
    said = output.strip()
    if condition.exit_code is not None and exit_code != condition.exit_code:
        return False
    if condition.equals is not None and said != condition.equals:
        return False
    if condition.matches is not None and not re.fullmatch(condition.matches, said, re.DOTALL):
        return False
    if condition.at_least is None and condition.at_most is None:
        return True
    number = _NUMBER.search(said)
    if number is None:
        return False
    value = float(number[0])
    low = condition.at_least if condition.at_least is not None else value
    high = condition.at_most if condition.at_most is not None else value
    return low <= value <= high
