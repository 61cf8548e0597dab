"""`opsd status`: is the data safe?"""

from __future__ import annotations

from contextlib import closing

from opsd import assembly
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.model import CheckState, Status, worst
from opsd.policy.freshness import SetFacts, judge, next_due
from opsd.report import plain, status, text, wal
from opsd.tasks.status import observe


def add(parser: Parser) -> None:
    """Which set, or all."""
    add_set(parser, optional=True)


def run(desk: Desk) -> Answer:
    """The status of one set or of all; only what is known to be good ends with 0."""
    with desk.kit() as kit:
        names = [desk.arguments.set] if desk.arguments.set else list(kit.config.backup_sets)
        facts = {name: observe(kit, name) for name in names}
    answers = [_one(desk, name, found) for name, found in facts.items()]
    whole = worst(verdict for verdict, _, _ in answers)
    good = whole in {Status.OK, Status.WARNING}
    return Answer(
        ExitCode.DONE if good else ExitCode.FAILED,
        text.joined(*(said for _, said, _ in answers)),
        {
            "status": whole.word,
            "sets": {name: body for name, (_, _, body) in zip(facts, answers, strict=True)},
        },
    )


def _one(desk: Desk, name: str, facts: SetFacts) -> tuple[Status, str, plain.Body]:
    backup_set = desk.config.backup_sets[name]
    verdict = judge(facts)
    due = next_due(facts.now, backup_set.schedule, desk.config.zone)
    title = f"{name} ({backup_set.title})" if backup_set.title else name
    said = status.of_set(desk.voice, title, facts, verdict, due)
    body = plain.status(desk.voice, facts, verdict, due)
    if not backup_set.logged:
        return verdict.status, said, body
    logs = {f"{name}/{member}": found for member, found in _logs(desk, name).items()}
    briefs = [wal.brief(desk.voice, log, found, facts.now) for log, found in logs.items()]
    known = [worst(state.status for state in found) for found in logs.values()]
    losses = {log: wal.losses(found, facts.now) for log, found in logs.items()}
    return worst((verdict.status, *known)), text.joined(said, *briefs), {**body, "loss": losses}


def _logs(desk: Desk, name: str) -> dict[str, tuple[CheckState, ...]]:
    """What the daemon saw of each log of a set; nothing, where none runs: that is unknown."""
    with closing(assembly.samples(desk.config)) as watch:
        states = watch.states()
    members = desk.config.backup_sets[name].logged
    return {member: wal.of_log(states, f"{name}/{member}") for member in members}
