"""A request and its answer, as pages see them; nothing here knows of sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: HTTPStatus
    content_type: str
    body: bytes


def text(status: HTTPStatus, words: str) -> Answer:
    """A line of text."""
    return Answer(status, _TEXT, f"{words}\n".encode())


@dataclass(frozen=True, slots=True)
class Asked:
    """What came with a request; `certified` where the client showed a certificate of ours."""

    authorization: str = ""
    certified: bool = False
    body: bytes = b""


Page = Callable[[Asked], Answer]
Table = Mapping[tuple[str, str], Page]


class Gate(Protocol):
    """Who may ask for one page, apart from the users of the port; and how much they may send."""

    @property
    def longest(self) -> int:
        """The longest body that is read."""
        ...

    def admits(self, asked: Asked) -> bool:
        """Whether who sent this may ask."""
        ...

    def told(self, status: HTTPStatus) -> None:
        """What was answered."""
        ...
