"""The file with who may ask a port: `name:$scrypt$ln=14,r=8,p=1$salt$hash`, one a line."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opsd.errors import ConfigError

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
LEAST: Final = 12  # characters of a password
_LINE: Final = re.compile(
    rf"({NAME.pattern}):\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)
_COST = (14, 8, 1)  # 40 ms and 16 MiB a password
_HIGHEST = (17, 8, 4)
_SALT, _DIGEST = 16, 32


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password that nobody can read any more."""

    cost: tuple[int, int, int]
    salt: bytes
    digest: bytes

    def fits(self, password: str) -> bool:
        """Whether it was made of this password."""
        found = _scrypt(password, self.salt, self.cost, len(self.digest))
        return hmac.compare_digest(found, self.digest)


def parse(text: str) -> Mapping[str, Hashed]:
    """The users of a file. Raises `ConfigError` with the number of the first wrong line."""
    users: dict[str, Hashed] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user = _user(line.strip())
        if user is None or user[0] in users:
            raise ConfigError("config.user_line", number=number)
        users[user[0]] = user[1]
    return users


def entry(name: str, password: str, salt: bytes) -> str:
    """The line of a user. `salt` is chance, 16 bytes of it."""
    digest = _scrypt(password, salt, _COST, _DIGEST)
    ln, r, p = _COST
    return f"{name}:$scrypt$ln={ln},r={r},p={p}${_coded(salt)}${_coded(digest)}"


def nobody() -> Hashed:
    """What the password of an unknown user is held against, so that it takes the same time."""
    return Hashed(_COST, bytes(_SALT), bytes(_DIGEST))


def _user(text: str) -> tuple[str, Hashed] | None:
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    ln, r, p = (int(found[place]) for place in (2, 3, 4))
    dear = any(asked > most for asked, most in zip((ln, r, p), _HIGHEST, strict=True))
    if dear or not all((ln, r, p)):
        return None
    try:
        salt, digest = _decoded(found[5]), _decoded(found[6])
    except ValueError:
        return None
    return (found[1], Hashed((ln, r, p), salt, digest)) if len(digest) >= _SALT else None


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int], size: int) -> bytes:
    ln, r, p = cost
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << ln, r=r, p=p, maxmem=256 * r << ln, dklen=size
    )


def _coded(found: bytes) -> str:
    return base64.b64encode(found).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
