"""The one table of exit codes: what a script can rely on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from opsd import catalogue, errors
from opsd.catalogue import Language
from opsd.model import Outcome, Status


class ExitCode(IntEnum):
    """How the process ends. The catalogue says each as `exit.<name>`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    COULD_NOT_VERIFY = 4
    TIMED_OUT = 5
    REFUSED = 6
    LOCKED = 7
    INTERNAL = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells count

    @property
    def key(self) -> str:
        """Its sentence in the catalogue."""
        return f"exit.{self.name.lower()}"


OF_OUTCOME: Mapping[Outcome, ExitCode] = {
    Outcome.SUCCEEDED: ExitCode.DONE,
    Outcome.PASSED: ExitCode.DONE,
    Outcome.PARTIAL: ExitCode.PARTIAL,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.COULD_NOT_VERIFY: ExitCode.COULD_NOT_VERIFY,
    Outcome.TIMED_OUT: ExitCode.TIMED_OUT,
    Outcome.INTERRUPTED: ExitCode.INTERRUPTED,
}

# The first class that fits; what fits none failed.
_OF_ERROR: tuple[tuple[type[errors.OpsdError], ExitCode], ...] = (
    (errors.ConfigError, ExitCode.USAGE),
    (errors.UsageError, ExitCode.USAGE),
    (errors.Refused, ExitCode.REFUSED),
    (errors.RepositoryLocked, ExitCode.LOCKED),
    (errors.TimedOut, ExitCode.TIMED_OUT),
    (errors.Cancelled, ExitCode.INTERRUPTED),
)


def of_error(error: errors.OpsdError) -> ExitCode:
    """What an error means for whoever started the command."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), ExitCode.FAILED)


def worst(*codes: ExitCode | Status) -> ExitCode | Status:
    """The code of several things done in one command: the first that is not good."""
    return next((code for code in codes if code is not ExitCode.DONE), ExitCode.DONE)


def table(language: Language) -> str:
    """All codes with their meaning, one a line, for `--help`."""
    return "\n".join(f"{code.value:>5}  {catalogue.say(language, code.key)}" for code in ExitCode)


def statuses(language: Language) -> str:
    """The codes of a command for monitors, one a line."""
    return "\n".join(
        f"{status.value:>5}  {catalogue.say(language, f'status.{status.word}')}"
        for status in Status
    )
