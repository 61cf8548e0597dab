"""Certificates in PEM: from when to when they are good. Reads texts, opens no files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

_PEM = re.compile(r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.+?-----END[^\n]*-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """When a certificate begins and ceases to be good."""

    begins: datetime
    ends: datetime


def spans(text: str) -> tuple[Span, ...]:
    """The span of each certificate of a text; none at all where one of them cannot be read."""
    try:
        found = [
            x509.load_pem_x509_certificate(pem.replace("TRUSTED ", "").encode())
            for pem in _PEM.findall(text)
        ]
    except ValueError:
        return ()
    return tuple(Span(one.not_valid_before_utc, one.not_valid_after_utc) for one in found)
