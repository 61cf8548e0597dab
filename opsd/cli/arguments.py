"""Arguments that several commands take."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from opsd.catalogue import say
from opsd.cli.desk import Desk
from opsd.cli.words import Parser
from opsd.config.units import read_duration
from opsd.drivers import system
from opsd.errors import UsageError
from opsd.keeping import Word


def add_set(parser: Parser, *, optional: bool = False) -> None:
    """The backup set that a command is about, or all of them."""
    parser.add_argument(
        "set",
        metavar=say(parser.language, "help.metavar.set"),
        nargs="?" if optional else None,
        help=say(parser.language, "help.set_optional" if optional else "help.set"),
    )


def add_host(parser: Parser) -> None:
    """The host that a command is about, or all of them."""
    parser.add_argument(
        "--host",
        metavar=say(parser.language, "help.metavar.host"),
        help=say(parser.language, "help.on_host"),
    )


def add_word(parser: Parser) -> None:
    """Who decides, and why: it stands in the history for ever."""
    language = parser.language
    for option, metavar in (("reason", "text"), ("by", "name")):
        parser.add_argument(
            f"--{option}",
            metavar=say(language, f"help.metavar.{metavar}"),
            help=say(language, f"help.{option}"),
        )


def word_of(desk: Desk, at: datetime) -> Word:
    """What was decided needs a reason. Raises `UsageError` where there is none.

    A name that was typed is kept beside the one that logged in, never instead of it.
    """
    asked = vars(desk.arguments)
    if not asked["reason"]:
        name = f"{asked['command']} {asked['action']}"
        raise UsageError("usage.needs", name=name, other="--reason")
    person = system.person()
    return Word(at, f"{asked['by']} ({person})" if asked["by"] else person, asked["reason"])


def host_of(desk: Desk) -> str | None:
    """The host that was asked for, if one was. Raises `UsageError` where there is no such host."""
    name: str | None = desk.arguments.host
    if name is not None and name not in desk.config.hosts:
        raise UsageError("usage.no_host", name=name, known=sorted(desk.config.hosts))
    return name


def span_of(text: str) -> timedelta:
    """A span of time as it was typed. Raises `UsageError`."""
    try:
        return read_duration(text)
    except ValueError as error:
        raise UsageError("usage.span", found=text) from error


def month_of(text: str | None, today: date) -> date:
    """The first day of the month that was asked for; of this one where none was."""
    if text is None:
        return today.replace(day=1)
    for form in ("%Y-%m", "%m/%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise UsageError("usage.month", found=text)
