"""What is sent: the same for every way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to tell. `id` is the same however often it is sent; `host` is who sends it."""

    id: str
    host: str
    at: datetime
    to: str
    subject: str
    text: str
    urgency: str = ""
    incident: str = ""
