"""`opsd doctor`: is this machine fit to back up, prove and restore?"""

from __future__ import annotations

from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.errors import StorageFailed
from opsd.model import Status, worst
from opsd.policy import diagnosis
from opsd.policy.diagnosis import Diagnosis
from opsd.report import doctor as report
from opsd.tasks.doctor import examine


def add(parser: Parser) -> None:
    """Nothing of its own."""
    del parser


def run(desk: Desk) -> Answer:
    """Look at everything; what is critical or unknown ends with 1."""
    found = _examined(desk)
    whole = worst(one.status for one in found)
    good = whole in {Status.OK, Status.WARNING}
    return Answer(
        ExitCode.DONE if good else ExitCode.FAILED,
        report.text(desk.voice, found),
        {"status": whole.word, "findings": report.body(desk.voice, found)},
    )


def _examined(desk: Desk) -> tuple[Diagnosis, ...]:
    """With the history; where it cannot be opened, that is one more diagnosis."""
    try:
        with desk.kit() as kit:
            return tuple(examine(kit))
    except (StorageFailed, OSError) as error:
        lost = _unusable(desk, error)
    with desk.doors() as kit:
        return (lost, *examine(kit))


def _unusable(desk: Desk, error: StorageFailed | OSError) -> Diagnosis:
    if isinstance(error, StorageFailed):
        return diagnosis.of_error("history", error)
    return Diagnosis(
        Status.CRITICAL, "history", "store.failed", {"path": desk.config.state}, str(error)
    )
