"""The allow-list of sudo that playbooks need on a host: exactly their commands, and nothing else.

Each is run under `timeout`, as root too: nobody else could end what sudo began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TIMEOUT = "/usr/bin/timeout"
# Letters that are no regular expression for sudo; blanks separate arguments, whose words have none.
_PLAIN = re.compile(r"[A-Za-z0-9_/:%@=-]")
_LIMIT = r"-k 1 [0-9]{1,6}(\.[0-9]{1,6})?"


def rules(user: str, privileges: Iterable[tuple[str, ...]]) -> str:
    """A file for `/etc/sudoers.d`; sudo 1.9.10 or newer reads its regular expressions."""
    lines = sorted({_rule(one) for one in privileges})
    head = "# opsd: what its playbooks may do as root (made by `opsd host sudoers`)\n"
    return head + "".join(f"{user} ALL=(root) NOPASSWD: {TIMEOUT} {line}\n" for line in lines)


def _rule(privilege: tuple[str, ...]) -> str:
    words = " ".join(map(_word, privilege))
    return f"^{_LIMIT} {words}$"


def _word(word: str) -> str:
    """A word for sudo: what is meant literally is quoted for its regular expressions."""
    if word.startswith("^"):
        return word.removeprefix("^").removesuffix("$")
    return "".join(_quoted(word))


def _quoted(word: str) -> Iterator[str]:
    for letter in word:
        if _PLAIN.fullmatch(letter):
            yield letter
        else:
            yield f"\\{letter}" if letter in "\\^#" else f"[{letter}]"
