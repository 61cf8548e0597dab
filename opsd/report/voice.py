"""One language and one time zone: how everything in a report is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from opsd import catalogue
from opsd.catalogue import SENTENCES, Language
from opsd.errors import OpsdError
from opsd.model import Finding


@dataclass(frozen=True, slots=True)
class Voice:
    """Says sentences of the catalogue, with moments in the reader's zone."""

    language: Language
    zone: tzinfo

    def say(self, key: str, **fields: object) -> str:
        """The sentence `key`."""
        return catalogue.say(self.language, key, **self._local(fields))

    def word(self, family: str, name: str) -> str:
        """The word for one of a family (`outcome.passed`); the name itself where there is none."""
        key = f"{family}.{name}"
        return self.say(key) if key in SENTENCES else name

    def moment(self, at: datetime) -> str:
        """A moment in the reader's zone."""
        return catalogue.moment(self.language, at.astimezone(self.zone))

    def duration(self, span: timedelta) -> str:
        """A span of time."""
        return catalogue.duration(self.language, span)

    def size(self, count: int) -> str:
        """A number of bytes."""
        return catalogue.size(self.language, count)

    def number(self, value: float) -> str:
        """A number."""
        return catalogue.number(self.language, value)

    def finding(self, found: Finding | OpsdError) -> str:
        """What was found, what was seen, what to do: one to three lines."""
        fields = self._local(found.fields)
        return catalogue.sentence(self.language, found.key, fields, found.detail)

    def _local(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {
            name: value.astimezone(self.zone) if isinstance(value, datetime) else value
            for name, value in fields.items()
        }
