"""Runs that ended by an error: how the history recorded their end decides the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opsd.cli import exit_codes
from opsd.cli.exit_codes import ExitCode
from opsd.errors import OpsdError
from opsd.model import Task
from opsd.tasks.kit import Kit


class Ended(Exception):
    """An error with the exit code that belongs to it."""

    def __init__(self, error: OpsdError, code: ExitCode) -> None:
        super().__init__(str(error))
        self.error = error
        self.code = code


@contextmanager
def recorded(kit: Kit, task: Task, backup_set: str) -> Iterator[None]:
    """Give an error of this block the code of the run that it ended.

    A narrow error (locked, refused, timed out) keeps its own code.
    """
    before = kit.store.last_run(task, backup_set)
    try:
        yield
    except OpsdError as error:
        code = exit_codes.of_error(error)
        last = kit.store.last_run(task, backup_set)
        if code is ExitCode.FAILED and last is not None and last != before and last[1]:
            code = exit_codes.OF_OUTCOME[last[1].outcome]
        raise Ended(error, code) from error
