"""The console script: understand, do, answer, and end with the code that says how it went."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from opsd import catalogue
from opsd.catalogue import Language
from opsd.cli import logs, trouble
from opsd.cli.answer import Answer
from opsd.cli.commands import Command, asked_for, build, named
from opsd.cli.desk import Desk
from opsd.cli.ended import Ended
from opsd.cli.exit_codes import ExitCode
from opsd.cli.language import choose, config_path
from opsd.errors import OpsdError
from opsd.model import Status

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        _survive_any_text(stream)
    language = choose(arguments, os.environ)
    try:
        with logs.told(aloud="--debug" in arguments):
            answer = _answer(arguments, language)
        _show(answer, as_json="--json" in arguments, language=language)
    except SystemExit as end:  # argparse after --help
        return int(end.code or 0)
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    return answer.code


def _answer(arguments: Sequence[str], language: Language) -> Answer:
    desk: Desk | None = None
    try:
        parser = build(language, asked_for(arguments))
        parsed = parser.parse_args(arguments)
        desk = Desk(parsed, language, config_path(arguments, os.environ), parser)
        with desk.listening():
            return _done(named(parsed.command), desk)
    except Ended as ended:
        return trouble.expected(ended.error, language, desk, ended.code)
    except OpsdError as error:
        return trouble.expected(error, language, desk)
    except BrokenPipeError:
        raise
    except OSError as error:
        log.exception("refused by the system")
        return trouble.of_system(error, language)
    except Exception as error:
        log.exception("internal error")
        return trouble.internal(error, language, desk)


def _done(command: Command, desk: Desk) -> Answer:
    """What the command answers; one for monitors never answers with a code of ours."""
    try:
        return command.verb.run(desk)
    except (OpsdError, OSError) as error:
        if not command.for_monitors:
            raise
        log.info("the status is unknown", exc_info=error)
        told = (
            trouble.expected(error, desk.language, desk)
            if isinstance(error, OpsdError)
            else trouble.of_system(error, desk.language)
        )
        return replace(told, code=Status.UNKNOWN)


def _show(answer: Answer, *, as_json: bool, language: Language) -> None:
    if as_json:
        print(json.dumps(answer.body, ensure_ascii=False, indent=2))
    elif answer.text:
        print(answer.text)
    sys.stdout.flush()
    if answer.complaint and not as_json:
        word = catalogue.say(language, "cli.error")
        print(f"opsd: {word}: {answer.complaint}", file=sys.stderr)


def _survive_any_text(stream: TextIO) -> None:
    """Write what the terminal's encoding lacks as escapes instead of failing over it."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
