"""Arguments that several commands take."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.desk import Desk
from opsd.cli.words import Parser
from opsd.errors import UsageError


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
        help=say(parser.language, "help.host"),
    )


def host_of(desk: Desk) -> str | None:
    """The host that was asked for, if one was. Raises `UsageError` where there is no such host."""
    name: str | None = desk.arguments.host
    if name is not None and name not in desk.config.hosts:
        raise UsageError("usage.no_host", name=name, known=sorted(desk.config.hosts))
    return name
