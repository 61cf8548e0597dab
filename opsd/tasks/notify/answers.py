"""What automation needs people for: each call is queued once, with what was found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opsd.config.schema import Config
from opsd.model import Finding, Severity
from opsd.people import Urgency
from opsd.response import Page
from opsd.store import Notices, Post, Responses
from opsd.tasks.notify import addresses

_SEPARATE = 3  # pages that are told one by one when they come together
# What nobody could be told of for so long is in `opsd explain`; no night begins with old calls.
_NEWS = timedelta(days=1)
_ATTACHED = 4000


def look(notices: Notices, responses: Responses, config: Config, now: datetime) -> int:
    """Queue every call that was not told yet; gives how many. Those on duty are called."""
    told = [int(key.rpartition(":")[2]) for key in notices.told("page:")]
    news = [one for one in responses.pages(max(told, default=0)) if now - one.at < _NEWS]
    to = next(iter(addresses.steps(config, now)), ())
    if not news or not to:
        return 0
    if len(news) > _SEPARATE:
        return notices.queue(_many(news, now), to, [_key(one) for one in news[:-1]])
    return sum(notices.queue(_one(one, now), to) for one in news)


def _one(page: Page, now: datetime) -> Post:
    said = replace(page.said, detail=_attached(page.said.detail, page.attached))
    return Post(_key(page), now, Urgency.PAGE, said, page.incident)


def _many(pages: Sequence[Page], now: datetime) -> Post:
    """Under the key of the last: from there it is read on."""
    incidents = {page.incident: None for page in pages}
    fields = {"count": len(pages), "incidents": list(incidents)[:20]}
    return Post(_key(pages[-1]), now, Urgency.PAGE, Finding(Severity.FAULT, "notice.pages", fields))


def _attached(detail: str, attached: Mapping[str, str]) -> str:
    """Everything known so far, as much of it as a letter takes."""
    parts = [detail, *(f"{name}:\n{text}" for name, text in attached.items())]
    return "\n\n".join(filter(None, parts))[:_ATTACHED]


def _key(page: Page) -> str:
    return f"page:{page.id}"
