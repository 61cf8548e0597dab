"""A watch in a process of its own, as the daemon has it: `python -m benchmarks.watched FILE`.

FILE tells the hosts and how long to watch them; what that cost is printed as JSON.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.asked import READS, Asked
from opsd.clock import now
from opsd.config.hosts import Host
from opsd.daemon.rounds import Rounds
from opsd.drivers.process import Stop
from opsd.policy.judging import Rule
from opsd.store import Cases, Watch
from opsd.tasks.check.gather import Hands
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.patrol import REACH, Patrol, Posted
from opsd.tasks.check.watching import Errand

_AGING = timedelta(seconds=5)


@dataclass
class Gauge:
    """What is counted while it watches."""

    begun: dict[str, list[float]] = field(default_factory=dict)
    lasted: list[tuple[float, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def timed(self, name: str, work: Callable[[], None]) -> Callable[[], None]:
        """The work, with the moments of its beginnings and what it took."""

        def timed() -> None:
            began = time.monotonic()
            work()
            with self.lock:
                self.begun.setdefault(name, []).append(began)
                self.lasted.append((began, time.monotonic() - began))

        return timed


@contextmanager
def watching(
    hosts: dict[str, Host], interval: timedelta, place: Path, gauge: Gauge
) -> Iterator[tuple[Ledger, Rounds]]:
    """The parts of a watch over these hosts, at work."""
    cases, watch, stop = Cases(place / "opsd.sqlite"), Watch(place / "watch.sqlite"), Stop()
    ledger, hands, rounds = Ledger(cases, watch), Hands(now, stop), Rounds(now)
    posted = [Posted(read.name, Asked(read), interval) for read in READS]
    patrols = {
        name: Patrol(name, posted, hands.ask(name, host), ledger, watch, now)
        for name, host in hosts.items()
    }
    asked = (*(read.name for read in READS), REACH)
    ledger.adopt({(name, check): Rule(interval) for name in hosts for check in asked}, now())
    errands = {n: Errand(interval, gauge.timed(n, one.walk)) for n, one in patrols.items()}
    rounds.adopt({**errands, ":aging": Errand(_AGING, lambda: ledger.age(now()))})
    rounds.begin()
    try:
        yield ledger, rounds
    finally:
        stop.request()
        hands.close()
        rounds.end()
        ledger.close()
        watch.close()
        cases.close()


def main(path: Path) -> None:
    """Watch, and tell what it cost once every host has answered."""
    asked = json.loads(path.read_text(encoding="utf-8"))
    hosts = {name: Host.model_validate(written) for name, written in asked["hosts"].items()}
    interval = timedelta(seconds=asked["interval"])
    gauge = Gauge()
    with watching(hosts, interval, path.parent, gauge) as (ledger, rounds):
        end = time.monotonic() + asked["patience"]
        while len(gauge.begun) < len(hosts) and time.monotonic() < end:
            time.sleep(0.2)
        began, cpu, answers = time.monotonic(), time.process_time(), _answers(ledger)
        answered_before = len(gauge.begun)
        time.sleep(asked["seconds"])
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        answered = _answers(ledger) - answers
        figures = _figures(gauge, began, interval.total_seconds())
        figures |= {
            "hosts": len(hosts),
            "checks": len(READS),
            "answered_before": answered_before,
            "bad": sum(state.result.status != 0 for state in ledger.states()),
            "seconds": seconds,
            "cpu_seconds": cpu,
            "host_checks": answered,
            "missed": sum(rounds.missed.values()),
            "peak_bytes": _peak_bytes(),
            "threads": threading.active_count(),
        }
    print(json.dumps(figures))


def _answers(ledger: Ledger) -> int:
    """How many answers of checks there were so far."""
    return sum(n for (_, check, _), n in ledger.counts().items() if check != REACH)


def _figures(gauge: Gauge, since: float, interval: float) -> dict[str, Any]:
    """What rounds took once every host had one, and how much too late they began."""
    with gauge.lock:
        gaps = [
            later - earlier
            for times in gauge.begun.values()
            for earlier, later in pairwise(times)
            if later > since
        ]
        lasted = sorted(took for began, took in gauge.lasted if began > since)
    late = sorted(gap - interval for gap in gaps)
    return {
        "rounds": len(lasted),
        "round_seconds": _spread(lasted),
        "late_seconds": _spread(late),
    }


def _spread(values: list[float]) -> dict[str, float]:
    """Of sorted values the median, what 99 of 100 stay below, and the most."""
    if not values:
        return {}
    return {
        "median": values[len(values) // 2],
        "p99": values[int(len(values) * 0.99)],
        "most": values[-1],
    }


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) << 10 if found else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
