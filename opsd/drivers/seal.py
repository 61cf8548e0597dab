"""Sealed objects: compressed, encrypted and authenticated with a key that a password opens.

    object  = IV (16 bytes) | AES-256-CTR(zstd(content)) | HMAC-SHA256(name, 0, IV, ciphertext)
    wrapped = the two keys (64 random bytes), sealed in the same way under PBKDF2(password)

OpenSSL and zstd (RFC 8878) open it without opsd: docs/repository-format.md. The name is part of
what is authenticated, so that one object cannot stand for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from opsd.errors import RepositoryDamaged, WrongPassword

# 64 bytes are one block of SHA-512. Older keys have two of SHA-256: who guesses needs one of them,
# who opens needs both. How many iterations: OWASP, Password Storage Cheat Sheet.
_KDF, _ITERATIONS = "PBKDF2-HMAC-SHA512", 210_000
_DIGESTS = {_KDF: "sha512", "PBKDF2-HMAC-SHA256": "sha256"}
_KEY, _IV, _MAC = 32, 16, 32
ADDED = _IV + _MAC  # bytes: what is no longer holds nothing
_WRAPPED = "key"
_LEVEL = 3  # of zstd: docs/adr/0026-zstd.md


@dataclass(frozen=True, slots=True)
class Seal:
    """A pair of keys: one hides, one authenticates."""

    hiding: bytes = field(repr=False)
    marking: bytes = field(repr=False)

    def close(self, name: str, content: bytes | memoryview, level: int = _LEVEL) -> bytes:
        """Seal the content of an object of this name, compressed by a level of zstd."""
        iv = os.urandom(_IV)
        cipher = Cipher(algorithms.AES(self.hiding), modes.CTR(iv)).encryptor()
        hidden = cipher.update(zstandard.compress(content, level)) + cipher.finalize()
        return iv + hidden + self._mark(name, iv + hidden)

    def open(self, name: str, sealed: bytes) -> bytes:
        """The content again. Raises `RepositoryDamaged` when a byte of it, or its name, differs."""
        return zstandard.decompress(self._shown(name, sealed))

    def open_into(self, name: str, sealed: bytes, place: memoryview) -> int:
        """The same, into memory that is there: for much, of which each page costs time when new.

        Gives how many bytes it is; what has no room is left out.
        """
        shown, filled = io.BytesIO(self._shown(name, sealed)), 0
        with zstandard.ZstdDecompressor().stream_reader(shown) as reader:
            while size := reader.readinto(place[filled:]):
                filled += size
        return filled

    def _shown(self, name: str, sealed: bytes) -> bytes:
        body, mark = sealed[:-_MAC], sealed[-_MAC:]
        if len(sealed) <= ADDED or not hmac.compare_digest(mark, self._mark(name, body)):
            raise RepositoryDamaged("seal.broken", name=name)
        cipher = Cipher(algorithms.AES(self.hiding), modes.CTR(body[:_IV])).decryptor()
        return cipher.update(body[_IV:]) + cipher.finalize()

    def _mark(self, name: str, body: bytes) -> bytes:
        return hmac.digest(self.marking, name.encode() + b"\0" + body, "sha256")


def new(password_file: Path) -> tuple[Seal, bytes]:
    """A new seal, and the object that keeps it under the password."""
    made = _of(os.urandom(2 * _KEY))
    return made, wrap(made, password_file)


def wrap(seal: Seal, password_file: Path) -> bytes:
    """The object that keeps a seal under a password."""
    salt = os.urandom(16)
    keys = seal.hiding + seal.marking
    wrapped = _under(password_file, _KDF, salt, _ITERATIONS).close(_WRAPPED, keys)
    body = {
        "kdf": _KDF,
        "iterations": _ITERATIONS,
        "salt": salt.hex(),
        "wrapped": base64.b64encode(wrapped).decode(),
    }
    return json.dumps(body, indent=1).encode()


def unwrap(kept: bytes, password_file: Path) -> Seal:
    """The seal that `new` made. Raises `WrongPassword` when the password does not open it."""
    try:
        body = json.loads(kept)
        salt, iterations = bytes.fromhex(body["salt"]), int(body["iterations"])
        under = _under(password_file, body["kdf"], salt, iterations)
        return _of(under.open(_WRAPPED, base64.b64decode(body["wrapped"])))
    except RepositoryDamaged as error:
        raise WrongPassword("seal.password", path=password_file) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RepositoryDamaged("seal.broken", name="key.json") from error


def _under(password_file: Path, kdf: str, salt: bytes, iterations: int) -> Seal:
    password = password_file.read_bytes().rstrip(b"\r\n")
    return _of(hashlib.pbkdf2_hmac(_DIGESTS[kdf], password, salt, iterations, 2 * _KEY))


def _of(keys: bytes) -> Seal:
    return Seal(keys[:_KEY], keys[_KEY:])
