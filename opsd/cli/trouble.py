"""Errors as answers: what, where, what to do."""

from __future__ import annotations

from opsd import catalogue
from opsd.catalogue import Language
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk, zone_of
from opsd.cli.exit_codes import ExitCode
from opsd.config.mistakes import ConfigMistakes
from opsd.errors import OpsdError
from opsd.report.voice import Voice


def expected(
    error: OpsdError, language: Language, desk: Desk | None, code: ExitCode | None = None
) -> Answer:
    """An error that opsd raised on purpose; `code` where more is known than its class."""
    body: dict[str, object] = {"key": error.key, "reason": error.reason}
    if isinstance(error, ConfigMistakes):
        text = error.text(language)
        body["mistakes"] = list(error.lines(language))
    else:
        config = desk.__dict__.get("config") if desk else None
        text = Voice(language, zone_of(config)).finding(error)
    return _answer(exit_codes.of_error(error) if code is None else code, text, body)


def of_system(error: OSError, language: Language) -> Answer:
    """The operating system said no where opsd did not expect it."""
    what = str(error)
    return _sentence(ExitCode.FAILED, language, "cli.system", what=what)


def internal(error: Exception, language: Language, desk: Desk | None) -> Answer:
    """A mistake of opsd itself: one line, and where to read more."""
    name = f"{type(error).__name__}: {error}".splitlines()[0]
    if desk is None or desk.log is None:
        return _sentence(ExitCode.INTERNAL, language, "cli.internal_unlogged", error=name)
    return _sentence(ExitCode.INTERNAL, language, "cli.internal", error=name, log=desk.log)


def _sentence(code: ExitCode, language: Language, key: str, **fields: object) -> Answer:
    text = catalogue.sentence(language, key, fields)
    reason = "internal" if code is ExitCode.INTERNAL else "system"
    return _answer(code, text, {"key": key, "reason": reason})


def _answer(code: ExitCode, text: str, body: dict[str, object]) -> Answer:
    return Answer(code, "", {"error": {**body, "text": text}}, complaint=text)
