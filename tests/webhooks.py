"""Messages as Alertmanager sends them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

STARTS_AT = "2026-11-28T09:00:00.123456789Z"


def alert_of(name: str, **labels: str) -> dict[str, Any]:
    """An alert that fires."""
    every = {"alertname": name, **labels}
    return {
        "status": "firing",
        "labels": every,
        "annotations": {"summary": f"{name} is firing."},
        "startsAt": STARTS_AT,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": hashlib.sha256(json.dumps(every).encode()).hexdigest()[:16],
    }


def message(*alerts: dict[str, Any], **more: object) -> bytes:
    """The body of a request."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "opsd",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager",
            "alerts": list(alerts),
            **more,
        }
    ).encode()
