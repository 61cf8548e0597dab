"""A notice in words: what is said in mail, and in the few words of a short message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from opsd import catalogue
from opsd.config.schema import Config
from opsd.drivers.notify.letter import Letter
from opsd.people import ALERT, Sending
from opsd.policy import alerting
from opsd.store import Notices

_LONG = 300


def letter(config: Config, notices: Notices, one: Sending, now: datetime) -> Letter:
    """What is sent. Its id is the same however often it is sent, and is said in it."""
    notice, said = one.notice, one.notice.said
    subject = _said(config, said.key, said.fields)
    fields = _local(config, said.fields)
    lines = [catalogue.sentence(config.language, said.key, fields)]  # with what to do about it
    if said.detail:
        lines.append(said.detail)
    if notice.incident:
        lines += _about(config, notices, notice.incident)
    if one.unsure or one.tries:
        lines.append(_said(config, "notice.again", {}))
    number = f"{notice.id}.{one.id}"
    lines.append(_said(config, "notice.id", {"id": number, "host": config.host, "at": notice.at}))
    return Letter(
        id=f"opsd-{number}-{notice.at:%Y%m%d%H%M%S}",
        host=config.host,
        at=now,
        to=one.address.to,
        subject=f"[opsd] {subject}",
        text="\n\n".join(lines) + "\n",
        urgency=notice.urgency.value,
        incident=notice.incident,
    )


def short(config: Config, one: Sending) -> str:
    """The same in one line, for whoever pays by the letter."""
    notice = one.notice
    said = _said(config, notice.said.key, notice.said.fields)
    return f"opsd #{notice.id}.{one.id}: {said}"


def _about(config: Config, notices: Notices, code: str) -> list[str]:
    """What the check said, and how it is taken on."""
    incident = notices.incident(code)
    if incident is None:
        return []
    found = incident.said
    if incident.id.check == ALERT:  # its words are anybody's: quoted, and not all of them
        name = alerting.shown(str(found.fields.get("alertname", "")))
        said = _said(config, found.key, {"alertname": name})
        lines = [f"{said}\n  {alerting.shown(found.detail, _LONG)}".rstrip()]
    else:
        language = config.language
        lines = [
            catalogue.sentence(language, found.key, _local(config, found.fields), found.detail)
        ]
    if incident.closed_at is None:
        lines.append(_said(config, "notice.take_on", {"code": code}))
    return lines


def _said(config: Config, key: str, fields: Mapping[str, object]) -> str:
    return catalogue.say(config.language, key, **_local(config, fields))


def _local(config: Config, fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value.astimezone(config.zone) if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
