"""A node in a process of its own, with a task that only writes down that it was done.

    python -m tests.nodes URL NAME HOME SLOTS SECONDS

It goes through the slots in an order of its own, again and again, until all of them are over.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psycopg

from opsd.clock import now
from opsd.drivers.process import Stop
from opsd.engine import Engine, Pace, Work
from opsd.errors import Cancelled, Refused
from opsd.store import Claims, Server

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
# The real pace ten times as fast.
QUICK = Pace(timedelta(seconds=0.7), timedelta(seconds=2.1), timedelta(seconds=3.5))
TRIES = 100


def works(slots: int) -> list[Work]:
    """A slot each of many targets: none makes another one pass."""
    return [Work("count", f"t{number}", FIRST) for number in range(slots)]


def live(url: str, name: str, home: Path, slots: int, seconds: float) -> None:
    """Do every slot that nobody else does."""
    engine = Engine(Claims(Server(url)), now, Stop(), tries=TRIES, pace=QUICK)
    engine.begin(name, home, lambda _: None)
    left = works(slots)
    Random().shuffle(left)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        while left:
            left = [work for work in left if not _over(engine, work, name, connection, seconds)]
            time.sleep(0.05)
    engine.end()


def _over(
    engine: Engine, work: Work, name: str, connection: psycopg.Connection, seconds: float
) -> bool:
    with engine.attempt(work) as attempt:
        if attempt is None:
            return not engine.wants(work, untried=True)
        print("at work", flush=True)
        row = (work.id, name, attempt.claim.attempt)
        connection.execute("INSERT INTO begun VALUES (%s, %s, %s)", row)
        time.sleep(seconds)
        if attempt.stop.requested:
            return False
        try:
            attempt.finish()
        except Cancelled:
            return False
        connection.execute("INSERT INTO done VALUES (%s, %s, %s)", row)
    return True


if __name__ == "__main__":
    _url, _name, _home, _slots, _seconds = sys.argv[1:]
    try:
        live(_url, _name, Path(_home), int(_slots), float(_seconds))
    except Refused as error:
        sys.exit(f"refused: {error}")
