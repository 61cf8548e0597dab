"""Where the command line keeps its log: in the state directory, by size, for its owner alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from opsd import store

_NAME = "opsd.log"
_BYTES = 4 << 20
_KEPT = 3
_FORM = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def keep(state: Path) -> Path | None:
    """Log into `state` from now on; gives the file, or nothing where it cannot be written."""
    path = state / _NAME
    try:
        store.make_place(state)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(_FORM))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(min(logging.INFO, root.level))
    return path


@contextmanager
def told(*, aloud: bool) -> Iterator[None]:
    """Say nothing on standard error, for people are told by answers; or, asked to, everything.

    At the end the root logger is as it was, without the handlers that came meanwhile.
    """
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    handler = logging.StreamHandler() if aloud else logging.NullHandler()
    handler.setFormatter(logging.Formatter(_FORM))
    root.addHandler(handler)
    if aloud:
        root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        for added in [one for one in root.handlers if one not in before]:
            root.removeHandler(added)
            added.close()
