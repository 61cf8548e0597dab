"""`python -m benchmarks nights`: what a night's read coverage costs, and planning retention."""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from opsd.drivers.storage import LocalStorage
from opsd.model import Outcome, Proof, ProofReached, RecoveryPoint
from opsd.policy import coverage
from opsd.policy.retention import Rules, plan
from opsd.policy.standing import Standing
from opsd.store import Reads
from opsd.tasks.ahead import ahead

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
_MIB = 1 << 20
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_RULES = Rules(min_age=14 * DAY, min_points=3, daily=30, weekly=8, monthly=24, yearly=10)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds on the wall, and of the processor."""

    name: str
    wall: float
    cpu: float
    said: str = ""


def main(argv: Sequence[str]) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks nights", description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--packs", type=int, default=256, help="of 1 MiB, that are hashed")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="opsd-bench-") as home:
        costs = [*_covering(Path(home), asked.objects), _hashing(Path(home), asked.packs)]
    costs.append(_planning(asked.points))
    print("| what | wall s | CPU s | |")
    print("|---|--:|--:|---|")
    for cost in costs:
        print(f"| {cost.name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.said} |")
    return 0


def _measured(name: str, work: Callable[[], Done]) -> tuple[Cost, Done]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return Cost(name, time.perf_counter() - wall, time.process_time() - cpu), done


def _covering(home: Path, objects: int) -> list[Cost]:
    """Taking stock of a repository, choosing a thirtieth of it, and noting that it was read."""
    reads = Reads(home / "reads.sqlite")
    listing = [("data", hashlib.sha256(b"%d" % n).hexdigest(), 16 * _MIB) for n in range(objects)]
    share = objects // 30

    def night() -> int:
        total = reads.covered("main").bytes
        turn = coverage.turn(total, NOW, NOW - DAY, 30 * DAY)
        done = 0
        while done * 16 * _MIB < turn.quota:
            some = reads.next("main", NOW, 256)
            reads.mark("main", [one.name for one in some], NOW + DAY, sound=True)
            done += len(some)
        return done

    first, _ = _measured(
        f"take stock of {objects:,} objects, the first time",
        lambda: reads.list("main", listing, NOW - DAY, NOW - DAY),
    )
    again, _ = _measured("take stock of them again", lambda: reads.list("main", listing, NOW, NOW))
    chosen, count = _measured(f"choose and note {share:,} of them", night)
    told, _ = _measured("tell since when all were read", lambda: reads.covered("main"))
    size = sum(file.stat().st_size for file in home.glob("reads.sqlite*"))
    reads.close()
    said = f"{count:,} objects, file {size / _MIB:.0f} MiB"
    return [first, again, Cost(chosen.name, chosen.wall, chosen.cpu, said), told]


def _hashing(home: Path, packs: int) -> Cost:
    """Reading packs and comparing them with their names, as a night does."""
    storage = LocalStorage(home / "repository")
    for _ in range(packs):
        content = os.urandom(_MIB)
        name = hashlib.sha256(content).hexdigest()
        path = home / "repository" / "data" / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    stored = list(storage.objects())
    cost, sound = _measured(
        f"hash {packs} packs of 1 MiB",
        lambda: sum(good for _, good in ahead(lambda o: storage.digest(o) == o.name, stored)),
    )
    assert sound == packs
    return Cost(cost.name, cost.wall, cost.cpu, f"{packs / cost.cpu:.0f} MiB a CPU second")


def _planning(points: int) -> Cost:
    found = []
    for number in range(points):
        at, name = NOW - number * DAY, f"p{number}"
        point = RecoveryPoint(name, "dossiers", "main", "srv", at, (), complete=True, record="r")
        proved = ProofReached(f"x{number}", name, "main", at, Proof.PROVED, Outcome.PASSED)
        found.append(Standing(point, (proved,)))
    cost, fates = _measured(
        f"plan retention of {points:,} points", lambda: plan(found, (), NOW, _ZONE, _RULES)
    )
    return Cost(cost.name, cost.wall, cost.cpu, f"{sum(f.kept for f in fates)} stay")
