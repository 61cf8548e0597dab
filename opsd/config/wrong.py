"""How a validator says that a value is wrong: by the name of a sentence, never by a text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic_core import PydanticCustomError

_LONG = 60


def wrong(kind: str, /, **fields: object) -> PydanticCustomError:
    """The error that the catalogue says as `config.<kind>`; raise it in a validator."""
    return PydanticCustomError(
        kind, kind, {k: _shown(v) for k, v in fields.items() if (k, v) != ("close", "")}
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be, or nothing."""
    by_folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else ""


def _shown(value: object) -> object:
    """A value as it may appear in a message: text, and not too much of it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split()) or '""'
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
