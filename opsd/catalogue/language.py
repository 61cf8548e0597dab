"""The two languages, and what a sentence is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language that opsd speaks."""

    VI = "vi"
    EN = "en"


class Size(int):
    """A number of bytes, written with its unit."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to say, and for a failure what to do about it."""

    vi: str
    en: str
    vi_remedy: str = ""
    en_remedy: str = ""

    def what(self, language: Language) -> str:
        """The sentence itself."""
        return self.vi if language is Language.VI else self.en

    def remedy(self, language: Language) -> str:
        """What to do next; empty where nothing is to be done."""
        return self.vi_remedy if language is Language.VI else self.en_remedy
