"""argparse in two languages: its help, its headings and its complaints."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from opsd.catalogue import Language, say
from opsd.errors import UsageError

# What argparse complains about, as 3.11 to 3.13 word it -> the sentence that says it.
_OPTION = r"argument (?P<name>.*?): "
_COMPLAINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), key)
    for pattern, key in (
        (r"the following arguments are required: (?P<names>.*)", "usage.required"),
        (r"unrecognized arguments: (?P<names>.*)", "usage.unrecognized"),
        (r"one of the arguments (?P<names>.*) is required", "usage.one_of"),
        (_OPTION + r"expected one argument", "usage.one_value"),
        (_OPTION + r"expected at least one argument", "usage.some_value"),
        (
            _OPTION + r"invalid choice: (?P<found>.*?) \(choose from (?P<choices>.*)\)",
            "usage.choice",
        ),
        (_OPTION + r"not allowed with argument (?P<other>.*)", "usage.conflict"),
        (_OPTION + r"ignored explicit argument (?P<found>.*)", "usage.no_value"),
        (_OPTION + r"(?P<what>.*)", "usage.argument"),
    )
)


def complaint(message: str) -> UsageError:
    """A complaint of argparse as an error of ours."""
    for pattern, key in _COMPLAINTS:
        if found := pattern.fullmatch(message):
            said = {name: text.replace("'", "") for name, text in found.groupdict().items()}
            return UsageError(key, **said)
    return UsageError("usage.wrong", detail=message)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with the word for `usage` in the reader's language."""

    language = Language.EN

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """The usage line. An empty prefix is argparse's wish for none."""
        if prefix is None:
            prefix = f"{say(self.language, 'help.usage')}: "
        super().add_usage(usage, actions, groups, prefix)


class VietnameseFormatter(Formatter):
    """The same in Vietnamese."""

    language = Language.VI


class Parser(argparse.ArgumentParser):
    """A parser that speaks one language and raises `UsageError` instead of ending the process."""

    def __init__(self, language: Language, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(
            formatter_class=VietnameseFormatter if language is Language.VI else Formatter,
            add_help=False,
            allow_abbrev=False,
            **settings,
        )
        self.language = language
        self._positionals.title = say(language, "help.positionals")
        self._optionals.title = say(language, "help.options")
        self.add_argument("-h", "--help", action="help", help=say(language, "help.help"))

    def error(self, message: str) -> NoReturn:
        """Raise what argparse complains about."""
        raise complaint(message)
