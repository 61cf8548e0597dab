"""Where the command line keeps its log: in the state directory, by size, for its owner alone."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

_NAME = "opsd.log"
_BYTES = 4 << 20
_KEPT = 3
_FORM = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def keep(state: Path) -> Path | None:
    """Log into `state` from now on; gives the file, or nothing where it cannot be written."""
    path = state / _NAME
    try:
        state.mkdir(mode=0o711, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(_FORM))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return path


def silence() -> None:
    """Say nothing on standard error: people are told by answers, not by logs."""
    logging.getLogger().addHandler(logging.NullHandler())


def aloud() -> None:
    """Say everything on standard error as well."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORM))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
