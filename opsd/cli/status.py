"""`opsd status`: is the data safe?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from opsd import assembly
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.model import CheckState, Status, worst
from opsd.policy.freshness import SetFacts, judge, next_due
from opsd.policy.recoverable import Recoverable
from opsd.report import plain, status, text, wal
from opsd.tasks.status import observe
from opsd.tasks.wal.recoverable import files_until, recoverable


def add(parser: Parser) -> None:
    """Which set, or all."""
    add_set(parser, optional=True)


def run(desk: Desk) -> Answer:
    """The status of one set or of all; only what is known to be good ends with 0."""
    with desk.kit() as kit:
        names = [desk.arguments.set] if desk.arguments.set else list(kit.config.backup_sets)
        facts = {name: observe(kit, name) for name in names}
        logs = {name: recoverable(kit, name) for name in names}
        files = {name: files_until(kit, name) for name in names}
    answers = [_one(desk, name, found, (logs[name], files[name])) for name, found in facts.items()]
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


def _one(
    desk: Desk, name: str, facts: SetFacts, known: tuple[Mapping[str, Recoverable], datetime | None]
) -> tuple[Status, str, plain.Body]:
    logs, files = known
    backup_set = desk.config.backup_sets[name]
    verdict = judge(facts)
    due = next_due(facts.now, backup_set.schedule, desk.config.zone)
    title = f"{name} ({backup_set.title})" if backup_set.title else name
    statuses, parts = [Status.OK], list[str]()
    losses: dict[str, dict[str, float | None]] = {}
    reaches: dict[str, plain.Body] = {}
    for log, states in _seen(desk, logs).items():
        found = wal.seen(logs[log], states, facts.now)
        statuses += [worst(state.status for state in states), wal.reach_status(found)]
        losses[log] = wal.losses(states, facts.now, found)
        parts.append(wal.brief(desk.voice, log, states, losses[log]))
        parts.append(wal.reach(desk.voice, log, found))
        reaches[log] = wal.reach_body(found)
    if logs and backup_set.trees:
        lost = wal.age(files, facts.now)
        parts.insert(0, wal.files(desk.voice, name, lost))
        losses[name] = {"files": lost}
    whole = replace(verdict, logs=worst(statuses))
    said = status.of_set(desk.voice, title, facts, whole, due)
    body = plain.status(desk.voice, facts, whole, due)
    told = {**body, "loss": losses, "recovery": reaches} if logs else body
    return whole.status, text.joined(said, *parts), told


def _seen(desk: Desk, logs: Iterable[str]) -> dict[str, tuple[CheckState, ...]]:
    """What the daemon saw of each log; nothing, where none runs: that is unknown."""
    with closing(assembly.samples(desk.config)) as watch:
        states = watch.states()
    return {log: wal.of_log(states, log) for log in logs}
