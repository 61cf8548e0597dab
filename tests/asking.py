"""Asks checks here and now, without rounds: each read is a shell of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsd.check import Answer, Check, Read, Round, Sample, Seen
from opsd.model import CheckResult

READS = Path(__file__).parent / "fixtures" / "reads"
NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
NO_TIME = timedelta()


def recorded(name: str) -> str:
    """What a host once answered."""
    return (READS / name).read_text(encoding="utf-8")


def asked(read: Read, **env: str) -> Answer:
    """The answer of this machine to a read."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", read.script],
            capture_output=True,
            timeout=read.timeout.total_seconds(),
            check=False,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **env},
        )
    except subprocess.TimeoutExpired as late:
        return Answer((late.stdout or b"").decode(), None)
    return Answer(done.stdout.decode(errors="replace"), done.returncode)


def looked(check: Check, **env: str) -> Seen:
    """The answers of this machine to all reads of a check, now."""
    began = datetime.now(UTC)
    answers = {read.name: asked(read, **env) for read in check.reads()}
    at = datetime.now(UTC)
    return Seen(at, at - began, answers)


@dataclass
class Memory:
    """A history that a test fills."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)

    def series(self, metric: str, labels: Mapping[str, str], since: timedelta) -> Sequence[Sample]:
        """The samples of a metric, oldest first; a test keeps no older ones than it wants."""
        del since
        return self.samples.get((metric, _key(labels)), [])

    def keep(self, metric: str, sample: Sample, **labels: str) -> None:
        """Add a sample."""
        self.samples.setdefault((metric, _key(labels)), []).append(sample)

    def take(self, check: Check, at: datetime, results: Sequence[CheckResult]) -> None:
        """Keep what a check wants kept of its results."""
        for result in results:
            for one in result.measurements:
                if one.metric in check.kept:
                    self.keep(one.metric, Sample(at, one.value), **one.labels)


def _key(labels: Mapping[str, str]) -> str:
    return repr(sorted(labels.items()))


def seen(
    check: Check,
    *texts: str,
    at: datetime = NOW,
    elapsed: timedelta = NO_TIME,
    code: int | None = 0,
) -> Seen:
    """These answers to the reads of a check, in their order."""
    names = [read.name for read in check.reads()]
    assert len(names) == len(texts)
    return Seen(at, elapsed, {n: Answer(t, code) for n, t in zip(names, texts, strict=True)})


def judged(
    check: Check, now: Seen, before: Seen | None = None, memory: Memory | None = None
) -> dict[str, CheckResult]:
    """What a check makes of what was seen, by subject."""
    found = check.judge(Round("srv", now, memory or Memory(), before))
    results = {result.subject: result for result in found}
    assert len(results) == len(found), "two results about one subject"
    return results


def measured(result: CheckResult) -> dict[str, float]:
    """The figures of a result by their metric."""
    return {one.metric: one.value for one in result.measurements}
