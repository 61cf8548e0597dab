"""A mistake of the configuration: where it is, and which sentence says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsd import catalogue
from opsd.config.schema import Location
from opsd.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the option at `location`, before its line is looked up.

    `of_name` says that its name is wrong and not its value.
    """

    location: Location
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    of_name: bool = False

    @property
    def path(self) -> str:
        """`backup_sets.dossiers.prove.invariants[0].query`."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.location)
        return "".join(parts).removeprefix(".")

    def at(self, place: tuple[int, int]) -> Mistake:
        """The mistake with its line and column."""
        return Mistake(*place, self.path, self.key, self.fields)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value (`text`, `number`, `list` ...), said in the reader's language."""

    name: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: line and column count from 1; `path` names the option."""

    line: int
    column: int
    path: str
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: catalogue.Language) -> str:
        """`line:column: path: what (did you mean X?)`."""
        fields = {name: _said(language, value) for name, value in self.fields.items()}
        what = catalogue.say(language, self.key, **fields)
        if close := self.fields.get("close"):
            what += " " + catalogue.say(language, "config.did_you_mean", close=close)
        path = f"{self.path}: " if self.path else ""
        return f"{self.line}:{self.column}: {path}{what}"


class ConfigMistakes(ConfigError):
    """Every mistake of one configuration file."""

    def __init__(self, file: str, mistakes: Iterable[Mistake]) -> None:
        first_to_last = sorted(mistakes, key=lambda mistake: (mistake.line, mistake.column))
        self.file = file
        self.mistakes = tuple(first_to_last)
        super().__init__("config.mistakes", file=file, count=len(self.mistakes))

    def lines(self, language: catalogue.Language) -> tuple[str, ...]:
        """`file:line:column: path: what`, one for each mistake, as editors understand it."""
        return tuple(f"{self.file}:{mistake.text(language)}" for mistake in self.mistakes)

    def text(self, language: catalogue.Language) -> str:
        """How many mistakes, then each on a line of its own."""
        return "\n".join((super().text(language), *self.lines(language)))


def _said(language: catalogue.Language, value: object) -> object:
    return (
        catalogue.say(language, f"config.kind_{value.name}") if isinstance(value, Kind) else value
    )
