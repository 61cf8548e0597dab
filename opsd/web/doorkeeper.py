"""Who may ask: basic authentication against the users of a file."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from typing import Final

from opsd.config import users
from opsd.config.users import Hashed
from opsd.web.reread import Reread

_BASIC: Final = "basic "
_REMEMBERED: Final = 64
_LONG: Final = 1024


class Doorkeeper:
    """Admits who shows a name and its password.

    A password is dear to check, on purpose. One at a time is, so that guessing takes one processor
    at most, and what fitted once is remembered by a keyed digest of it.
    """

    def __init__(self, known: Reread[Mapping[str, Hashed] | None]) -> None:
        self._known = known
        self._secret = secrets.token_bytes(32)
        self._fitted: dict[bytes, Hashed] = {}
        self._one = threading.Lock()

    def admits(self, authorization: str) -> bool:
        """Whether who sent this header may ask."""
        known = self._known.now()
        if known is None:
            return True
        name, password = _shown(authorization)
        hashed = known.get(name) or users.nobody()
        seen = hashlib.blake2b(f"{name}:{password}".encode(), key=self._secret).digest()
        if self._fitted.get(seen) == hashed:
            return True
        with self._one:
            fits = hashed.fits(password)
        if fits:
            if len(self._fitted) >= _REMEMBERED:
                self._fitted.clear()
            self._fitted[seen] = hashed
        return fits


def _shown(authorization: str) -> tuple[str, str]:
    """The name and the password in a header; empty ones when there are none."""
    if authorization[: len(_BASIC)].lower() != _BASIC or len(authorization) > _LONG:
        return "", ""
    try:
        text = base64.b64decode(authorization[len(_BASIC) :], validate=True).decode()
    except ValueError:
        return "", ""
    name, _, password = text.partition(":")
    return name, password
