"""The web front of the dossier system: a login page, a health address and one sample read.

    GET  /dang-nhap      the login page; the demo knows no accounts, so every login is refused
    GET  /suc-khoe       200 when the database answers and the scans can be read, else 503
    GET  /ho-so/<code>   one dossier without personal names, 404 when there is none

It reads as the least-privileged role, so it is healthy on a restored copy only when the roles of
the cluster came back too.
"""

from __future__ import annotations

import json
import os
import re
import threading
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from opsd.demo import schema
from opsd.demo.psql import ask
from opsd.errors import OpsdError

_LIMIT = timedelta(seconds=5)
_FORM_LARGEST = 1 << 14
_CODE = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,39}")
_LOGIN_REFUSED = '<p class="wrong" role="alert">Tên đăng nhập hoặc mật khẩu không đúng.</p>'
_SAMPLE = """
SELECT row_to_json(found) FROM (
    SELECT code, procedure, agency, status, received_at, due_at, steps, attachments
    FROM dossier_summary WHERE code = :'code') AS found
"""


class Source(Protocol):
    """Where the front reads: the living system, or a restored copy of it."""

    @property
    def connection(self) -> str:
        """A libpq connection string to the database of dossiers."""

    @property
    def scans(self) -> Path:
        """The root of the scans."""


def health(source: Source) -> dict[str, str]:
    """What works: `ok` or `failed` for each part, and for the whole under `status`."""
    parts = {"database": _database_answers(source), "scans": _scans_readable(source)}
    named = {part: "ok" if works else "failed" for part, works in parts.items()}
    return {"status": "ok" if all(parts.values()) else "failed", **named}


def sample(source: Source, code: str) -> dict[str, Any] | None:
    """One dossier without personal names; none when no dossier has this code."""
    if not _CODE.fullmatch(code):
        return None
    rows = ask(_reader(source), _SAMPLE, limit=_LIMIT, code=code)
    return dict(json.loads(rows[0][0])) if rows else None


class Front:
    """The web front over `source`, on 127.0.0.1 only."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._server: _Server | None = None

    def start(self, port: int = 0) -> None:
        """Serve on `port`, or on a free one. Raises `OSError` when the port is taken."""
        self._server = _Server(port, self._source)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving; nothing happens where it does not serve."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def address(self) -> str:
        """The address of the front without a path; empty while it does not serve."""
        return f"http://127.0.0.1:{self._server.server_port}" if self._server else ""


class _Server(ThreadingHTTPServer):
    """A thread for each request; none of them keeps the process alive."""

    daemon_threads = True

    def __init__(self, port: int, source: Source) -> None:
        super().__init__(("127.0.0.1", port), _Pages)
        self.source = source


class _Pages(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server

    def do_GET(self) -> None:
        match unquote(urlsplit(self.path).path).split("/"):
            case ["", ""]:
                self._redirect("/dang-nhap")
            case ["", "dang-nhap"]:
                self._login(HTTPStatus.OK)
            case ["", "suc-khoe"]:
                self._health()
            case ["", "ho-so", code]:
                self._sample(code)
            case _:
                self._json(HTTPStatus.NOT_FOUND, {"status": "not found"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        self.rfile.read(min(int(length), _FORM_LARGEST) if length.isdecimal() else 0)
        if urlsplit(self.path).path == "/dang-nhap":
            self._login(HTTPStatus.UNAUTHORIZED, _LOGIN_REFUSED)
        else:
            self._json(HTTPStatus.NOT_FOUND, {"status": "not found"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's)
        """Say nothing: what people ask for is not kept."""

    def _login(self, status: HTTPStatus, message: str = "") -> None:
        page = resources.files(__package__).joinpath("login.html").read_text(encoding="utf-8")
        self._answer(status, "text/html", page.replace("<!-- message -->", message))

    def _health(self) -> None:
        found = health(self.server.source)
        works = found["status"] == "ok"
        self._json(HTTPStatus.OK if works else HTTPStatus.SERVICE_UNAVAILABLE, found)

    def _sample(self, code: str) -> None:
        try:
            found = sample(self.server.source, code)
        except OpsdError:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "failed", "database": "failed"})
            return
        if found is None:
            self._json(HTTPStatus.NOT_FOUND, {"status": "not found"})
        else:
            self._json(HTTPStatus.OK, found)

    def _redirect(self, path: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(content, ensure_ascii=False))

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _reader(source: Source) -> str:
    return f"{source.connection} user={schema.READER}"


def _database_answers(source: Source) -> bool:
    try:
        rows = ask(_reader(source), "SELECT count(*) > 0 FROM procedure", limit=_LIMIT)
    except OpsdError:
        return False
    return rows == [("t",)]


def _scans_readable(source: Source) -> bool:
    try:
        with os.scandir(source.scans) as entries:
            next(entries, None)
    except OSError:
        return False
    return True
