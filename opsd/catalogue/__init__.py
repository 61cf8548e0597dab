"""Every sentence that a person reads, in Vietnamese and English.

One table for each subject; `SENTENCES` joins them. A sentence is filled with `str.format` fields;
numbers, sizes, durations and moments are written the way the language writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePath

from opsd.catalogue.language import Language, Sentence, Size
from opsd.catalogue.numbers import duration, moment, number, size
from opsd.catalogue.tables import SENTENCES

__all__ = [
    "SENTENCES",
    "Language",
    "Sentence",
    "Size",
    "duration",
    "moment",
    "number",
    "say",
    "sentence",
    "size",
]


def say(language: Language, key: str, **fields: object) -> str:
    """The sentence `key` in `language`, filled with `fields`."""
    return SENTENCES[key].what(language).format(**_written(language, fields))


def sentence(language: Language, key: str, fields: Mapping[str, object], detail: str = "") -> str:
    """The sentence with its detail and its remedy, each on a line of its own.

    It may come from a history that another version of opsd wrote: what that did not tell is a
    question mark, and a key that nobody knows any more stands for itself.
    """
    found = SENTENCES.get(key, Sentence(key, key))
    written = _Told(_written(language, fields))
    lines = [found.what(language).format_map(written)]
    if detail:
        lines.append(f"{say(language, 'label.detail')}: {detail.strip()}")
    if remedy := found.remedy(language):
        lines.append(f"{say(language, 'label.remedy')}: {remedy.format_map(written)}")
    return "\n  ".join(lines)


class _Told(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _written(language: Language, fields: Mapping[str, object]) -> dict[str, str]:
    return {name: _write(language, value) for name, value in fields.items()}


def _write(language: Language, value: object) -> str:
    match value:
        case str():
            return value
        case Size():
            return size(language, value)
        case bool():
            return say(language, "label.yes" if value else "label.no")
        case int() | float():
            return number(language, value)
        case timedelta():
            return duration(language, value)
        case datetime():
            return moment(language, value)
        case PurePath():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return ", ".join(_write(language, item) for item in value)
        case _:
            return str(value)
