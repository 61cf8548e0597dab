"""The pages of the ports by their path; nothing here knows of sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Protocol

from opsd import __version__
from opsd.catalogue import Language, say
from opsd.metrics import CONTENT_TYPE, Exposition
from opsd.web.asking import Answer, Asked, Gate, Page, Table, text
from opsd.web.webhook import PATH, Webhook

_HTML = "text/html; charset=utf-8"


class Pages(Protocol):
    """What a port shows."""

    def table(self) -> Table:
        """Each page by its method and its path."""
        ...

    def gates(self) -> Mapping[str, Gate]:
        """The pages with a gate of their own, by their path."""
        ...


def place(path: str) -> str:
    """A path without its question."""
    return path.partition("?")[0]


def answer(pages: Pages, method: str, path: str, asked: Asked) -> Answer:
    """The page that is asked for."""
    table = pages.table()
    wanted = place(path)
    if page := table.get((method, wanted)):
        return page(asked)
    if wanted in {known for _, known in table}:
        return text(HTTPStatus.METHOD_NOT_ALLOWED, "not allowed")
    return text(HTTPStatus.NOT_FOUND, "not found")


@dataclass(frozen=True, slots=True)
class MetricsPages:
    """What Prometheus reads."""

    exposition: Exposition
    language: Callable[[], Language]

    def table(self) -> Table:
        """The metrics, and a page that leads to them."""
        return {
            ("GET", "/"): lambda _: _landing(self.language(), {"metrics": "/metrics"}),
            ("GET", "/metrics"): self._metrics,
        }

    def gates(self) -> Mapping[str, Gate]:
        """None."""
        return {}

    def _metrics(self, _: Asked) -> Answer:
        return Answer(HTTPStatus.OK, CONTENT_TYPE, self.exposition.page())


@dataclass(frozen=True, slots=True)
class AdminPages:
    """What a service manager or an administrator asks, each answered by what is wrong."""

    healthy: Callable[[], str]
    ready: Callable[[], str]
    reload: Callable[[], str]
    language: Callable[[], Language]
    webhook: Webhook | None = None

    def table(self) -> Table:
        """Health, readiness, the order to read the configuration again; the way in of alerts."""
        leads = {"healthy": "/-/healthy", "ready": "/-/ready"}
        table: dict[tuple[str, str], Page] = {
            ("GET", "/"): lambda _: _landing(self.language(), leads),
            ("GET", "/-/healthy"): lambda _: _verdict(self.healthy()),
            ("GET", "/-/ready"): lambda _: _verdict(self.ready()),
            ("POST", "/-/reload"): lambda _: _verdict(self.reload()),
        }
        if self.webhook is not None:
            table["POST", PATH] = self.webhook.page
        return table

    def gates(self) -> Mapping[str, Gate]:
        """The way in of alerts has a gate of its own: who uses it is no user of the port."""
        return {} if self.webhook is None else {PATH: self.webhook}


def _landing(language: Language, leads: Mapping[str, str]) -> Answer:
    def word(name: str) -> str:
        return escape(say(language, f"daemon.page_{name}", version=__version__))

    items = "".join(f'<li><a href="{path}">{word(name)}</a></li>\n' for name, path in leads.items())
    page = (
        f'<!doctype html>\n<html lang="{language.value}">\n<meta charset="utf-8">\n'
        f"<title>{word('title')}</title>\n"
        f"<h1>{word('title')}</h1>\n<p>{word('about')}</p>\n<ul>\n{items}</ul>\n</html>\n"
    )
    return Answer(HTTPStatus.OK, _HTML, page.encode())


def _verdict(wrong: str) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
    return text(status, wrong or "ok")
