"""Database servers without initdb: one is made for real, the others are copies of its directory.

A proof makes a server of its own, and initdb takes longer than all else in a small one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsd.drivers import process
from tests.site import workplace

PLACE = "OPSD_TESTS_MADE_SERVERS"  # where they lie, told to processes of tests' own
_TARGET = "--pgdata="
_ONCE = (
    'made=$1 target=$2; shift 2; if [ -d "$made" ]; then exec cp -a "$made" "$target"; fi; '
    '"$@" || exit; cp -a "$target" "$made.$$" && mv -T "$made.$$" "$made" 2>/dev/null || :'
)
real_start = process._start


def start(command: process.Command, *arguments: Any, **more: Any) -> Any:
    """In the place of what starts programs: all but initdb as it is."""
    target = next((a for a in command.argv if a.startswith(_TARGET)), "")
    if Path(command.argv[0]).name == "initdb" and target:
        alike = "\n".join(word for word in command.argv if word != target)
        made = Path(os.environ[PLACE]) / hashlib.sha256(alike.encode()).hexdigest()[:16]
        script = ("sh", "-c", _ONCE, "sh", str(made), target.removeprefix(_TARGET))
        command = replace(command, argv=(*script, *command.argv))
    return real_start(command, *arguments, **more)


def take_over() -> None:
    """The same in a process of a test's own, for as long as it lives."""
    process._start = start


@contextmanager
def servers() -> Iterator[None]:
    """Make servers in this way from now on, here and in processes that ask for it."""
    with workplace() as home, pytest.MonkeyPatch.context() as patch:
        home.chmod(0o777)  # the account of PostgreSQL makes them
        patch.setenv(PLACE, str(home))
        patch.setattr(process, "_start", start)
        yield
