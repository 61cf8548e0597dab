"""Plain text that lines up, however wide its characters are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from opsd.model import Status

WIDTH = 80
_GAP = "  "
RIGHT, LEFT = ">", "<"
# What stands before a line: what is not good catches the eye.
MARKS = {Status.OK: " ", Status.WARNING: "!", Status.CRITICAL: "X", Status.UNKNOWN: "?"}


def width(text: str) -> int:
    """How many columns of a terminal `text` takes: marks that combine take none, wide ones two."""
    return sum(_columns(character) for character in text)


def pad(text: str, columns: int, side: str = LEFT) -> str:
    """`text` filled with spaces to `columns`."""
    space = " " * max(0, columns - width(text))
    return space + text if side == RIGHT else text + space


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns`, with an ellipsis where something is left out."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used >= columns:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""


def wrap(text: str, columns: int) -> list[str]:
    """The words of `text` in lines of at most `columns`; a longer word stays whole."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and width(lines[-1]) + 1 + width(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def hang(first: str, text: str, columns: int = WIDTH) -> str:
    """`text` behind `first`, wrapped; the lines that follow stand below its beginning."""
    indent = width(first)
    lines = [line for part in text.splitlines() or [""] for line in wrap(part, columns - indent)]
    return first + f"\n{' ' * indent}".join(line.strip() for line in lines)


def fields(pairs: Iterable[tuple[str, str]], indent: str = "", columns: int = WIDTH) -> str:
    """Names and values in two columns."""
    known = list(pairs)
    names = max((width(name) for name, _ in known), default=0)
    return "\n".join(
        hang(f"{indent}{pad(name, names)}{_GAP}", value, columns).rstrip() for name, value in known
    )


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], sides: str, indent: str = ""
) -> str:
    """Rows below headings; `sides` says for each column whether it stands left or right."""
    columns = [max(width(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    return "\n".join(
        indent
        + _GAP.join(
            pad(cell, columns[place], sides[place]) for place, cell in enumerate(row)
        ).rstrip()
        for row in (headings, *rows)
    )


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Cc"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
