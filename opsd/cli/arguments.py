"""Arguments that several commands take."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.words import Parser


def add_set(parser: Parser, *, optional: bool = False) -> None:
    """The backup set that a command is about, or all of them."""
    parser.add_argument(
        "set",
        metavar=say(parser.language, "help.metavar.set"),
        nargs="?" if optional else None,
        help=say(parser.language, "help.set_optional" if optional else "help.set"),
    )
