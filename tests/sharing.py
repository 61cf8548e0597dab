"""Two nodes on one PostgreSQL, of which one is killed again and again; and what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from opsd.store import Claims, End
from tests.nodes import QUICK, works
from tests.site import ROOT
from tests.stores import Stores

_TABLES = "(work text, node text, attempt int)"
_PATIENCE = 900.0

Row = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Sharing:
    """How slots were shared: `wrong` says of each that was not done exactly once what it was."""

    slots: int
    kills: int
    cut_short: int
    by_node: dict[str, int]
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Scene:
    """How many slots, how often one node is killed, and how long a slot takes."""

    slots: int
    kills: int
    seconds: float = 0.1


def share(stores: Stores, place: Path, scene: Scene) -> Sharing:
    """Let two nodes do all the slots, and kill one of them so often meanwhile."""
    store = stores.fresh()
    with stores.asking(store) as connection:
        for table in ("begun", "done"):
            connection.execute(f"CREATE TABLE {table} {_TABLES}".encode())
    with closing(Claims(store)) as claims:
        with _start(store.url, place, "steady", scene) as steady:
            killed = _torment(lambda: _start(store.url, place, "mortal", scene), steady, scene)
            steady.kill()
        assert steady.returncode == 0, "the node that nobody killed did not come to its end"
        with stores.asking(store) as connection:
            begun, done = (
                connection.execute(f"SELECT * FROM {table}".encode()).fetchall()  # noqa: S608
                for table in ("begun", "done")
            )
        return _judged(claims, killed, scene.slots, Told(begun, done))


def _start(url: str, place: Path, name: str, scene: Scene) -> subprocess.Popen[bytes]:
    home = place / name
    home.mkdir(exist_ok=True)
    arguments = [url, name, str(home), str(scene.slots), str(scene.seconds)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.nodes", *arguments], cwd=ROOT, stdout=subprocess.PIPE
    )


def _torment(
    begin: Callable[[], subprocess.Popen[bytes]], steady: subprocess.Popen[bytes], scene: Scene
) -> int:
    """Begin the other node and kill it, until all is done; gives how often it was killed.

    Every third time it stays away for so long that the steady one has to go on with its work.
    """
    chance, killed, end = Random(5), 0, time.monotonic() + _PATIENCE
    while steady.poll() is None and time.monotonic() < end:
        with begin() as mortal:
            assert mortal.stdout is not None
            for _ in range(chance.randint(1, 8)):
                at_work = mortal.stdout.readline() != b""
            if at_work and killed < scene.kills:
                time.sleep(chance.uniform(0.0, scene.seconds))
                mortal.kill()
                killed += 1
        if killed % 3 == 0 and killed <= scene.kills:
            time.sleep(QUICK.gone.total_seconds() + 2 * QUICK.beat.total_seconds())
    return killed


@dataclass(frozen=True, slots=True)
class Told:
    """What the nodes wrote down themselves, beside the claims."""

    begun: list[Row]
    done: list[Row]

    def twice(self, work: str) -> list[Row]:
        """What was begun or done more than once under one claim."""
        return [
            row
            for rows in (self.begun, self.done)
            for row, times in Counter(row for row in rows if row[0] == work).items()
            if times > 1
        ]


def _judged(claims: Claims, killed: int, slots: int, told: Told) -> Sharing:
    wrong, cut_short = [], 0
    for work in works(slots):
        attempts = claims.attempts(work.id)
        ends = [end for _, _, end in attempts]
        finished = {row for row in told.done if row[0] == work.id}
        twice = told.twice(work.id)
        cut_short += len(ends) - 1
        if ends != [None] * (len(ends) - 1) + [End.DONE] or twice or len(finished) > 1:
            wrong.append(f"{work.id}: {attempts}, begun twice: {twice}, done: {finished}")
    return Sharing(slots, killed, cut_short, dict(Counter(row[1] for row in told.done)), wrong)
