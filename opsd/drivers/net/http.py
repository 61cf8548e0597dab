"""Pages: one request, its redirects, and what must stand in the answer."""

from __future__ import annotations

import html
import http.client
import ipaddress
import re
import socket
import time
import unicodedata
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from email.message import Message
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from opsd.drivers.net.connection import Line, Place, connect
from opsd.drivers.net.tls import Trust, secure
from opsd.drivers.net.tracing import Broke, Tracer
from opsd.trace import Cause

_MOVED = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_CHUNK = 1 << 16
_SECURE_PORT, _PLAIN_PORT = 443, 80
_SHOWN = 120
_INPUT = re.compile(r"""<input\b((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+))?""")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer must be, after redirects."""

    status: tuple[int, ...] = (200,)
    text: str | None = None
    forbidden_text: str | None = None
    redirects: int = 5
    max_body: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """A page, and what is posted to it."""

    url: str
    form: Mapping[str, str] | None = None

    @property
    def parts(self) -> SplitResult:
        """The parts of its address."""
        return urlsplit(self.url)

    @property
    def secure(self) -> bool:
        """Whether it is asked over TLS."""
        return self.parts.scheme == "https"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Where it comes from, as browsers tell sites apart."""
        port = self.parts.port or (_SECURE_PORT if self.secure else _PLAIN_PORT)
        return self.parts.scheme, self.parts.hostname or "", port


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    url: str
    status: int
    headers: Message
    text: str = ""


@dataclass
class Browser:
    """Fetches pages as somebody who keeps cookies and remembers the page before."""

    tracer: Tracer
    family: str = "any"
    ca_file: Path | None = None
    _cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    _hidden: Mapping[str, str] = field(default_factory=dict)

    def visit(self, request: Request, expected: Expected) -> Page:
        """The page at the end of all redirects. Raises `Broke` where it is not as expected."""
        if request.form is not None:
            request = replace(request, form={**self._hidden, **request.form})
        for _ in range(expected.redirects + 1):
            page = self._ask(request, expected)
            onward = page.headers.get("Location")
            if page.status not in _MOVED or page.status in expected.status or not onward:
                self._hidden = hidden_fields(page.text)
                return page
            request = self._onward(request, page, onward)
        return self._astray(request.url)

    def _ask(self, request: Request, expected: Expected) -> Page:
        place = Place(request.origin[1], request.origin[2], self.family)
        opened: socket.socket = connect(place, self.tracer)
        try:
            if request.secure:
                trust = Trust(request.origin[1], self.ca_file)
                opened = secure(opened, place, trust, self.tracer)
            return self._talk(opened, request, expected)
        finally:
            opened.close()

    def _talk(self, opened: socket.socket, request: Request, expected: Expected) -> Page:
        line = Line(opened, self.tracer.deadline)
        began = time.monotonic()
        with self.tracer.timed("send"):
            answer = _send(line, request, self._headers(request))
            self.tracer.know(status=answer.status, first_byte=(line.first_byte or began) - began)
        with closing(answer):
            self._keep(request, answer.headers)
            moved = answer.status in _MOVED and answer.status not in expected.status
            with self.tracer.timed("status"):
                if answer.status not in expected.status and not moved:
                    raise Broke(Cause.STATUS_WRONG, f"{answer.status} {answer.reason}")
            page = Page(request.url, answer.status, answer.headers)
            if moved:
                return page
            with self.tracer.timed("content"):
                page = replace(page, text=_body(answer, expected))
                _look_at(page, expected)
            return page

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Host": _host(request),
            "User-Agent": "opsd",
            "Accept": "*/*",
            "Connection": "close",
        }
        if cookies := self._cookies.get(request.origin[1]):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers

    def _keep(self, request: Request, headers: Message) -> None:
        """Keep the cookies of a site; one that ends at once is forgotten."""
        kept = self._cookies.setdefault(request.origin[1], {})
        for header in headers.get_all("Set-Cookie", []):
            try:
                found = SimpleCookie(header)
            except CookieError:
                continue
            for name, morsel in found.items():
                if morsel["max-age"] == "0":
                    kept.pop(name, None)
                else:
                    kept[name] = morsel.coded_value

    def _onward(self, request: Request, page: Page, onward: str) -> Request:
        """Where a redirect leads. What was posted goes along only within the same site."""
        try:
            target = quote(urljoin(request.url, onward), safe="%/:=&?~#+!$,;'@()*[]")
            following = Request(target)
            usable = following.parts.scheme in {"http", "https"} and following.origin[1]
        except ValueError:
            usable = ""
        if not usable:
            self._astray(request.url)
        self.tracer.know(hops=(*self.tracer.facts.hops, _without_query(target)))
        kept = page.status in {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
        if kept and following.origin == request.origin:
            return replace(following, form=request.form)
        return following

    def _astray(self, url: str) -> NoReturn:
        with self.tracer.timed("status"):
            raise Broke(Cause.STATUS_REDIRECTS, _shown(_without_query(url)))


def _send(line: Line, request: Request, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    talk = http.client.HTTPConnection(request.origin[1])
    talk.sock = line  # it sends, and makes a file: no more is asked
    target = request.parts.path or "/"
    target += f"?{request.parts.query}" if request.parts.query else ""
    body = None if request.form is None else urlencode(request.form).encode()
    try:
        talk.request("GET" if body is None else "POST", target, body, dict(headers))
        return talk.getresponse()
    except http.client.RemoteDisconnected as error:
        raise Broke(Cause.SEND_RESET, str(error)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise Broke(Cause.SEND_GARBLED, f"{type(error).__name__}: {error}"[:_SHOWN]) from error


def _body(answer: http.client.HTTPResponse, expected: Expected) -> str:
    content = bytearray()
    try:
        while chunk := answer.read1(_CHUNK):
            content += chunk
            if len(content) > expected.max_body:
                raise Broke(Cause.CONTENT_LARGE, f"> {expected.max_body} B")
    except http.client.IncompleteRead as error:
        raise Broke(Cause.CONTENT_RESET, "chunk") from error
    except (http.client.HTTPException, ValueError) as error:
        raise Broke(Cause.CONTENT_GARBLED, type(error).__name__) from error
    if answer.length:  # fewer bytes came than were announced
        raise Broke(Cause.CONTENT_RESET, f"{answer.length} B missing")
    charset = answer.headers.get_content_charset("utf-8")
    try:
        return content.decode(charset, errors="replace")
    except LookupError:
        return content.decode(errors="replace")


def _look_at(page: Page, expected: Expected) -> None:
    text = _plain(page.text)
    if expected.text is not None and _plain(expected.text) not in text:
        raise Broke(Cause.CONTENT_WRONG, _shown(expected.text))
    if expected.forbidden_text is not None and _plain(expected.forbidden_text) in text:
        raise Broke(Cause.CONTENT_FORBIDDEN, _shown(expected.forbidden_text))


def _plain(text: str) -> str:
    """A text as it is compared: letters may be written as references, or letter and accent."""
    return unicodedata.normalize("NFC", html.unescape(text))


def _host(request: Request) -> str:
    scheme, host, port = request.origin
    with suppress(ValueError):
        host = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    usual = _SECURE_PORT if scheme == "https" else _PLAIN_PORT
    return host if port == usual else f"{host}:{port}"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _without_query(url: str) -> str:
    """An address without what may be secret in it."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def hidden_fields(text: str) -> Mapping[str, str]:
    """The hidden fields of a page's forms: what a server wants to see again.

    One look: `html.parser` takes a time that grows with the square of what is broken.
    """
    found: dict[str, str] = {}
    for tag in _INPUT.finditer(text):
        given = {
            name.lower(): html.unescape(value.strip("\"'"))
            for name, value in _ATTRIBUTE.findall(tag[1])
        }
        if given.get("type", "").lower() == "hidden" and given.get("name"):
            found[given["name"]] = given.get("value", "")
    return found
