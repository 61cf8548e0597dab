"""What waits in a channel is sent, tried again with growing pauses, and never forgotten."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from opsd.clock import Clock
from opsd.config.notify import (
    AlertmanagerChannel,
    Channel,
    CommandChannel,
    MailChannel,
    WebhookChannel,
)
from opsd.config.schema import Config
from opsd.drivers.notify import mail, post, program
from opsd.drivers.notify.letter import Letter
from opsd.errors import ChannelFailed, ConfigError
from opsd.people import Sending
from opsd.policy import sending
from opsd.store import GIVEN_UP, SENT, Notices
from opsd.tasks.notify import words

log = logging.getLogger(__name__)


def work(
    notices: Notices, config: Config, channel: str, clock: Clock, stop: Callable[[], bool]
) -> int:
    """Try everything in a channel that is due; gives how much was sent.

    At least once: that it is tried is recorded before, that it was sent after. Between the two a
    death leaves it open whether it arrived, and it is sent again, and says so.
    """
    sent = 0
    for one in notices.waiting(channel):
        if stop():
            break
        now = clock()
        if sending.given_up(one, now):
            log.error("notice %s is given up, nobody took it in %s", one.notice.id, channel)
            notices.end(one, now, GIVEN_UP)
        elif sending.due(one, now):
            sent += _try(notices, config, one, clock)
    return sent


def _try(notices: Notices, config: Config, one: Sending, clock: Clock) -> bool:
    options, name = config.channels[one.address.channel], one.address.channel
    attempt = notices.begin(one, clock())
    try:
        _send(notices, config, options, one, clock())
    except ChannelFailed as error:
        log.warning("channel %s: notice %s: %s", name, one.notice.id, error)
        notices.fail(attempt, clock(), error.reason, error.detail)
        return False
    except (ConfigError, OSError) as error:  # its secret cannot be read just now
        log.warning("channel %s: notice %s: %s", name, one.notice.id, error)
        notices.fail(attempt, clock(), "auth", str(error))
        return False
    notices.end(one, clock(), SENT)
    log.info("channel %s: notice %s was sent", name, one.notice.id)
    return True


def _send(notices: Notices, config: Config, options: Channel, one: Sending, now: datetime) -> None:
    letter = words.letter(config, notices, one, now)
    secret = options.password.path() if options.password else None
    seconds = options.timeout.total_seconds()
    match options:
        case MailChannel():
            server = mail.Server(
                host=options.host,
                port=options.port,
                security=options.security.value,
                timeout=seconds,
                user=options.user or "",
                password_file=secret,
                ca_file=options.ca_file,
            )
            mail.send(server, options.sender, letter)
        case WebhookChannel():
            place = post.Place(options.url, seconds, secret, options.ca_file)
            post.post(place, _body(letter))
        case CommandChannel():
            program.send(options.argv, letter.to, words.short(config, one), options.timeout)
        case AlertmanagerChannel():
            url = options.url.rstrip("/") + "/api/v2/alerts"
            post.post(post.Place(url, seconds, secret, options.ca_file), [_alert(letter)])


def _body(letter: Letter) -> dict[str, str]:
    return {
        "id": letter.id,
        "host": letter.host,
        "at": letter.at.isoformat(),
        "to": letter.to,
        "urgency": letter.urgency,
        "incident": letter.incident,
        "subject": letter.subject,
        "text": letter.text,
    }


def _alert(letter: Letter) -> dict[str, object]:
    """The letter as an alert; Alertmanager ends it by itself when it hears of it no more."""
    labels = {"alertname": "OpsdNotice", "notice": letter.id, "urgency": letter.urgency}
    if letter.incident:
        labels["incident"] = letter.incident
    if letter.to:
        labels["to"] = letter.to
    severity = "critical" if letter.urgency == "page" else "info"
    return {
        "labels": {**labels, "severity": severity},
        "annotations": {"summary": letter.subject, "description": letter.text},
        "startsAt": letter.at.isoformat(),
    }
