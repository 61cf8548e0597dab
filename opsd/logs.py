"""Log lines: JSON for machines, plain text on a terminal."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

_TEXT: Final = "%(asctime)s %(levelname)-7s %(message)s"
# sd-daemon(3): the journal takes such a prefix as the line's priority and does not show it.
_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4))
_INFO, _DEBUG = 6, 7
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Libraries that tell what opsd tells better itself.
_QUIET: Final = ("apscheduler",)


def begin(stream: TextIO | None = None) -> None:
    """Send every log line to `stream`, standard error by default, in the form that fits it."""
    out = stream or sys.stderr
    sink = logging.StreamHandler(out)
    sink.setFormatter(_formatter(out, os.environ))
    logging.basicConfig(level=logging.INFO, handlers=[sink], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _formatter(out: TextIO, environment: Mapping[str, str]) -> logging.Formatter:
    if "JOURNAL_STREAM" in environment or not out.isatty():
        return JsonLines(prefixed=_is_journal(out, environment.get("JOURNAL_STREAM", "")))
    return logging.Formatter(_TEXT)


def _is_journal(out: TextIO, journal: str) -> bool:
    """Whether a stream is the very one that systemd connected to the journal."""
    try:
        facts = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return journal == f"{facts.st_dev}:{facts.st_ino}"


class JsonLines(logging.Formatter):
    """One JSON object a line; what a caller gives as `extra` stands beside the message."""

    def __init__(self, *, prefixed: bool = False) -> None:
        super().__init__()
        self._prefixed = prefixed

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _OWN})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False, default=str)
        return f"<{_priority(record.levelno)}>{text}" if self._prefixed else text


def _priority(level: int) -> int:
    """The syslog priority of a level."""
    found = next((priority for least, priority in _PRIORITIES if level >= least), None)
    return found or (_INFO if level >= logging.INFO else _DEBUG)
