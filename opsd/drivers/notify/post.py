"""A POST of JSON, or a GET, to somebody who waits for one."""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opsd.errors import ChannelFailed

_GOOD = range(200, 300)
_READ = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """An address over HTTP; a token is shown where there is one. What it holds may be secret."""

    url: str
    timeout: float
    token_file: Path | None = None
    ca_file: Path | None = None


def post(place: Place, body: object) -> None:
    """Send something as JSON. Raises `ChannelFailed` unless it was taken."""
    _ask(place, "POST", json.dumps(body, ensure_ascii=False).encode(), "application/json")


def ping(place: Place, text: str = "") -> None:
    """Give a sign of life. Raises `ChannelFailed` unless it was taken."""
    _ask(place, "POST", text.encode(), "text/plain; charset=utf-8")


def _ask(place: Place, method: str, body: bytes, kind: str) -> None:
    host = ""
    try:
        parts = urlsplit(place.url)
        host = parts.hostname or ""
        headers = {"Content-Type": kind, "User-Agent": "opsd", "Connection": "close"}
        if place.token_file is not None:
            token = place.token_file.read_text(encoding="utf-8").strip()
            headers["Authorization"] = f"Bearer {token}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with closing(_connection(place)) as connection:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            said = answer.read(_READ)
    except ssl.SSLError as error:
        raise _failed(host, "tls", error) from error
    except TimeoutError as error:
        raise _failed(host, "timeout", error) from error
    except OSError as error:
        raise _failed(host, "connect", error) from error
    except (http.client.HTTPException, ValueError) as error:
        name = type(error).__name__  # no more of it: its words quote the address, or the token
        raise ChannelFailed("notify.post", reason="protocol", host=host, detail=name) from None
    if answer.status not in _GOOD:
        reason = "auth" if answer.status in {401, 403} else "refused"
        detail = f"{answer.status} {said[:160].decode(errors='replace')}"
        raise ChannelFailed("notify.post", reason=reason, host=host, detail=detail)


def _connection(place: Place) -> http.client.HTTPConnection:
    parts = urlsplit(place.url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=place.ca_file)
        return http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=place.timeout, context=context
        )
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=place.timeout)


def _failed(host: str, reason: str, error: Exception) -> ChannelFailed:
    detail = f"{type(error).__name__}: {error}"[:200]
    return ChannelFailed("notify.post", reason=reason, host=host, detail=detail)
