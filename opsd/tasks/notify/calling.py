"""What people must be told: looked for in the history, queued there, each occasion once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from opsd.config.schema import Config
from opsd.model import Finding, Incident, Severity
from opsd.people import Address, Urgency
from opsd.policy import alerting, duty, sending
from opsd.policy.sending import Call
from opsd.store import Notices, Post
from opsd.tasks.notify import addresses, legal

_LATELY = timedelta(minutes=5)
_ENDED = timedelta(days=1)


def look(notices: Notices, config: Config, now: datetime) -> int:
    """Queue what people must be told by now; gives how much that was."""
    if not config.channels:
        return 0
    return sum(
        (
            _opened(notices, config, now),
            _closed(notices, config, now),
            _gaps(notices, config, now),
            legal.look(notices, config, now),
        )
    )


def _opened(notices: Notices, config: Config, now: datetime) -> int:
    """Those on duty are told of what began; the next ones of what nobody took on."""
    open_ones = notices.incidents()
    if not open_ones or sending.holds(notices.paged(now - _LATELY), now):
        return 0
    called = addresses.steps(config, now)
    within = config.oncall.acknowledge_within if config.oncall else timedelta()
    told = frozenset(_step(key) for key in notices.told("incident:"))
    timing = (len(called), within)
    due = sending.calls(open_ones, notices.owned(), told, timing, now)
    return sum(_call(notices, one, called[one.step], now) for one in due)


def _call(notices: Notices, call: Call, to: Sequence[Address], now: datetime) -> bool:
    first, *others = call.incidents
    post = Post(
        key=_key(first, call.step),
        at=now,
        urgency=Urgency.PAGE,
        said=_many(call, now) if others else _one(call, now),
        incident="" if others else first.code,
    )
    return notices.queue(post, to, [_key(one, call.step) for one in others])


def _one(call: Call, now: datetime) -> Finding:
    incident = call.incidents[0]
    fields = {
        "code": incident.code,
        "about": alerting.shown(str(incident.id)),
        "since": incident.began,
        "age": now - incident.opened_at,
    }
    said = "notice.opened" if call.step == 0 else "notice.unowned"
    return Finding(Severity.FAULT, said, fields)


def _many(call: Call, now: datetime) -> Finding:
    codes = [one.code for one in call.incidents]
    fields = {
        "count": len(codes),
        "first": codes[0],
        "last": codes[-1],
        "age": now - min(one.opened_at for one in call.incidents),
    }
    said = "notice.many" if call.step == 0 else "notice.many_unowned"
    return Finding(Severity.FAULT, said, fields)


def _closed(notices: Notices, config: Config, now: datetime) -> int:
    """Those who are on duty are told that what they were told of is over."""
    ended = [one for one in notices.incidents(now - _ENDED) if one.closed_at is not None]
    if not ended:
        return 0
    began, over = notices.told("incident:"), notices.told("closed:")
    news = [one for one in ended if _key(one, 0) in began and f"closed:{one.code}" not in over]
    to = next(iter(addresses.steps(config, now)), ())
    return sum(notices.queue(_over(one, now), to) for one in news)


def _over(incident: Incident, now: datetime) -> Post:
    closed_at = incident.closed_at or now
    fields = {
        "code": incident.code,
        "about": alerting.shown(str(incident.id)),
        "lasted": closed_at - incident.began,
    }
    said = Finding(Severity.NOTE, "notice.closed", fields)
    return Post(f"closed:{incident.code}", now, Urgency.TELL, said, incident.code)


def _gaps(notices: Notices, config: Config, now: datetime) -> int:
    """Holes in the rota are told ahead, and addresses that nobody tried for a year."""
    if config.oncall is None:
        return 0
    to = [one for step in addresses.steps(config, now) for one in step]
    news: Mapping[str, Finding] = {**_holes(config, now), **_stale(config, now)}
    return sum(notices.queue(Post(key, now, Urgency.TELL, said), to) for key, said in news.items())


def _holes(config: Config, now: datetime) -> Mapping[str, Finding]:
    assert config.oncall is not None  # noqa: S101  (asked above)
    # whole days, so that the same hole has the same beginning whenever it is looked for
    today = now.astimezone(config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = duty.spans(config.oncall.rota, today, now + config.oncall.ahead, config.zone)
    return {
        f"gap:{span.began.isoformat()}": Finding(
            Severity.CHANGE, "notice.gap", {"since": span.began, "until": span.ended}
        )
        for span in duty.gaps(found)
        if not span.duty.main
    }


def _stale(config: Config, now: datetime) -> Mapping[str, Finding]:
    assert config.oncall is not None  # noqa: S101  (as above)
    today = now.astimezone(config.zone).date()
    return {
        f"verify:{name}:{today.year}": Finding(Severity.CHANGE, "notice.verify", {"name": name})
        for name, person in config.oncall.people.items()
        if person.verified is not None and today - person.verified > timedelta(days=365)
    }


def _key(incident: Incident, step: int) -> str:
    return f"incident:{incident.code}:{step}"


def _step(key: str) -> tuple[str, int]:
    _, code, step = key.split(":")
    return code, int(step)
