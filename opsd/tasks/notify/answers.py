"""What automation needs people for: each call of the history is queued once."""

from __future__ import annotations

from datetime import datetime, timedelta

from opsd.config.schema import Config
from opsd.people import Urgency
from opsd.response import Page
from opsd.store import Notices, Post, Responses
from opsd.tasks.notify import addresses

# What nobody could be told of for so long is in `opsd explain`; no night begins with old calls.
_FRESH = timedelta(days=1)


def look(notices: Notices, responses: Responses, config: Config, now: datetime) -> int:
    """Queue every call that was not told yet; gives how many. Those on duty are called."""
    if not config.channels:
        return 0
    told = notices.told("page:")
    pages = responses.pages(max((int(key.partition(":")[2]) for key in told), default=0))
    to = next(iter(addresses.steps(config, now)), ())
    return sum(notices.queue(_post(one), to) for one in pages if now - one.at < _FRESH)


def _post(page: Page) -> Post:
    return Post(f"page:{page.id}", page.at, Urgency.PAGE, page.said, page.incident)
