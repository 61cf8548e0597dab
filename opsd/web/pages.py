"""The pages by their path; nothing here knows of sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from opsd import __version__
from opsd.catalogue import Language, say
from opsd.metrics import Exposition

_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: HTTPStatus
    content_type: str
    body: bytes


Page = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Pages:
    """The table of pages. A question answers the empty text for yes, or what is wrong."""

    exposition: Exposition
    healthy: Callable[[], str]
    ready: Callable[[], str]
    language: Callable[[], Language]

    def answer(self, path: str, accept: str) -> Answer:
        """The page at `path`, in the form that is accepted where it has several."""
        page = self._table().get(path.partition("?")[0])
        return page(accept) if page else _text(HTTPStatus.NOT_FOUND, "not found")

    def _table(self) -> Mapping[str, Page]:
        return {
            "/": self._landing,
            "/metrics": self._metrics,
            "/-/healthy": lambda _: _verdict(self.healthy()),
            "/-/ready": lambda _: _verdict(self.ready()),
        }

    def _metrics(self, accept: str) -> Answer:
        body, content_type = self.exposition.page(accept)
        return Answer(HTTPStatus.OK, content_type, body)

    def _landing(self, _: str) -> Answer:
        language = self.language()
        words = {
            name: escape(say(language, f"daemon.page_{name}", version=__version__))
            for name in ("title", "about", "metrics", "healthy", "ready")
        }
        page = (
            f'<!doctype html>\n<html lang="{language.value}">\n<meta charset="utf-8">\n'
            f"<title>{words['title']}</title>\n"
            f"<h1>{words['title']}</h1>\n<p>{words['about']}</p>\n<ul>\n"
            f'<li><a href="/metrics">{words["metrics"]}</a></li>\n'
            f'<li><a href="/-/healthy">{words["healthy"]}</a></li>\n'
            f'<li><a href="/-/ready">{words["ready"]}</a></li>\n</ul>\n</html>\n'
        )
        return Answer(HTTPStatus.OK, _HTML, page.encode())


def _verdict(wrong: str) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
    return _text(status, wrong or "ok")


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, _TEXT, f"{text}\n".encode())
