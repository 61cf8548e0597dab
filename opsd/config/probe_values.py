"""The kinds of values that only probes have: peers, addresses of pages, shares, short spans."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from opsd.config.wrong import wrong

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME = rf"^(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?$"
_SPAN: Final = r"^\d{1,6}(ms|s)$"
_PERCENT: Final = r"^(100|\d{1,2}(\.\d{1,4})?)%$"
_LEAST_OBJECTIVE = Decimal("0.5")


def _peer(found: object) -> str:
    text = found if isinstance(found, str) else ""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if not re.fullmatch(_NAME, text):
            raise wrong("peer", found=found) from None
    return text


def _ip(found: object) -> str:
    try:
        return str(ipaddress.ip_address(found if isinstance(found, str) else ""))
    except ValueError:
        raise wrong("ip", found=found) from None


def _url(found: object) -> str:
    """Says nothing of what it found: there may be a password in it."""
    if not isinstance(found, str) or not re.fullmatch(r"https?://[^\s\x00-\x1f]+", found):
        raise wrong("page_url")
    try:
        parts = urlsplit(found)
        host, secret, port = parts.hostname, parts.password or parts.username, parts.port
    except ValueError:
        raise wrong("page_url") from None
    if secret is not None:
        raise wrong("page_url_secret")
    if not host or not found.isascii() or port == 0:
        raise wrong("page_url")
    return found


def _path(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch(r"/[!-~]*", found):
        raise wrong("page_path", found=found)
    return found


def _share(found: object) -> Decimal:
    if not isinstance(found, str) or not re.fullmatch(_PERCENT, found, re.ASCII):
        raise wrong("percent", found=found)
    return Decimal(found[:-1]) / 100


def read_objective(found: object) -> Decimal:
    """`99.5%` as a share of the time, at least half of it and never all."""
    share = _share(found)
    if not _LEAST_OBJECTIVE <= share < 1:
        raise wrong("objective", found=found)
    return share


def write_share(share: Decimal) -> str:
    """The text that is read as `share`."""
    return f"{(share * 100).normalize():f}%"


def _short(found: object) -> timedelta:
    if not isinstance(found, str) or not re.fullmatch(_SPAN, found, re.ASCII):
        raise wrong("short_duration", found=found)
    scale = "milliseconds" if found.endswith("ms") else "seconds"
    return timedelta(**{scale: int(found.rstrip("ms"))})


def _write_short(span: timedelta) -> str:
    return f"{span // timedelta(milliseconds=1)}ms"


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_percent_schema = _text(_PERCENT, "99.5%")
_as_percent = PlainSerializer(write_share)

Peer = Annotated[str, PlainValidator(_peer), _text(r"^\S+$", "portal.example.vn", "2001:db8::1")]
Ip = Annotated[str, PlainValidator(_ip), _text(r"^[0-9A-Fa-f:.]+$", "192.0.2.1")]
Url = Annotated[str, PlainValidator(_url), _text(r"^https?://\S+$", "https://portal.example.vn/")]
PagePath = Annotated[str, PlainValidator(_path), _text(r"^/[!-~]*$", "/login")]
Share = Annotated[Decimal, PlainValidator(_share), _as_percent, _percent_schema]
Objective = Annotated[Decimal, PlainValidator(read_objective), _as_percent, _percent_schema]
ShortDuration = Annotated[
    timedelta, PlainValidator(_short), PlainSerializer(_write_short), _text(_SPAN, "150ms", "2s")
]
