"""What a message of Alertmanager holds, what its alerts are about, and which open an incident.

Labels are data that anybody may have written: they are bounded here, and never become words of a
sentence, names of files or parts of a command.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from opsd.model import CheckId
from opsd.people import ALERT, Alert, AlertStatus

_LABELS: Final = 64
_NAME: Final = 128
_VALUE: Final = 1024
_CUT: Final = "…"
# What opsd's own rules fire: the check behind each has its incident already.
_OWN: Final = "Opsd"


class Malformed(ValueError):
    """This is no message of Alertmanager; it says where."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Alerts that open an incident: by name, and by labels that all must be so."""

    alert: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def covers(self, alert: Alert) -> bool:
        """Whether an alert is one of these."""
        return alert.name == self.alert and self.labels.items() <= alert.labels.items()


def read(body: bytes, most: int) -> Sequence[Alert]:
    """The alerts of a message. Raises `Malformed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("json") from error
    if not isinstance(found, dict) or not isinstance(found.get("alerts"), list):
        raise Malformed("alerts")
    if len(found["alerts"]) > most:
        raise Malformed("too many alerts")
    truncated = found.get("truncatedAlerts", 0)
    left_out = truncated if isinstance(truncated, int) and truncated > 0 else 0
    return tuple(_alert(one, min(left_out, 1 << 31)) for one in found["alerts"])


def subject(alert: Alert, hosts: Mapping[str, str]) -> CheckId:
    """What an alert is about; `hosts` are those of the inventory, with their addresses."""
    return CheckId(_host(alert.labels, hosts), ALERT, alert.name)


def own(alert: Alert) -> CheckId | None:
    """The check behind an alert of opsd's own rules, or of anybody who names check and host."""
    labels = alert.labels
    if "check" in labels and "host" in labels:
        return CheckId(labels["host"], labels["check"], labels.get("subject", ""))
    if alert.name.startswith(_OWN) and "backup_set" in labels:
        return CheckId("", "backup", labels["backup_set"])
    return None


def opens(alert: Alert, openings: Iterable[Opening]) -> bool:
    """Whether an alert opens an incident, where none is open for its cause."""
    return not alert.name.startswith(_OWN) and any(one.covers(alert) for one in openings)


def shown(text: str, most: int = 120) -> str:
    """A text of anybody as it may stand before a person: one line that cannot steer a terminal."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= most else line[: most - 1] + _CUT


def _host(labels: Mapping[str, str], hosts: Mapping[str, str]) -> str:
    """The host of the inventory that the labels name: an alert about any other is about none."""
    by_address = {address: name for name, address in hosts.items() if address}
    for label in ("host", "instance", "node", "nodename"):
        named = labels.get(label, "")
        for one in (named, _without_port(named)):
            if one in hosts:
                return one
            if one in by_address:
                return by_address[one]
    return ""


def _without_port(address: str) -> str:
    """`[2001:db8::1]:9100` and `db1:9100` without the port; a bare IPv6 address as it is."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or (":" in host and not host.startswith("[")):
        return address.strip("[]")
    return host.strip("[]")


def _alert(found: Any, truncated: int) -> Alert:  # noqa: ANN401  (JSON of anybody)
    if not isinstance(found, dict):
        raise Malformed("alert")
    labels = _texts(found.get("labels"), "labels")
    try:
        status = AlertStatus(found["status"])
        starts_at = datetime.fromisoformat(found["startsAt"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise Malformed("status or startsAt") from error
    fingerprint = found.get("fingerprint")
    return Alert(
        fingerprint=_bounded(fingerprint, _NAME) if fingerprint else _fingerprint(labels),
        status=status,
        starts_at=starts_at,
        labels=labels,
        annotations=_texts(found.get("annotations") or {}, "annotations"),
        truncated=truncated,
    )


def _texts(found: Any, where: str) -> Mapping[str, str]:  # noqa: ANN401
    if not isinstance(found, dict) or len(found) > _LABELS:
        raise Malformed(where)
    return {_bounded(name, _NAME): _bounded(value, _VALUE) for name, value in found.items()}


def _bounded(found: object, most: int) -> str:
    """A text that can be kept: not longer than `most`, with whole characters."""
    if not isinstance(found, str):
        raise Malformed("text")
    text = found.encode("utf-8", "replace").decode().replace("\0", "�")
    return text if len(text) <= most else text[: most - 1] + _CUT


def _fingerprint(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]
