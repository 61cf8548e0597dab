"""What opsd says may be lost, beside what would be: known stalls, and the files themselves."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from opsd.policy import wal as policy
from opsd.tasks.wal.archive import Archive, open_archive
from opsd.tasks.wal.log import Log
from opsd.wal import PARTIAL, SEGMENT_BYTES, Segment
from tests.logs import Heard, guarded, hit, receivers, sql, until, with_log
from tests.meanwhile import meanwhile
from tests.site import Site

STALLS = (3.0, 6.0)  # seconds
ALLOWED = 2.0  # seconds that a claim may be above what was


@dataclass(slots=True)
class Commits:
    """When somebody committed, and where the log ended then."""

    told: list[tuple[float, int]] = field(default_factory=list)

    def lost_since(self, end: int, now: float) -> float:
        """The moment of the first commit that a log to `end` lacks; now, when it has them all."""
        return next((at for at, lsn in list(self.told) if lsn > end), now)


@dataclass(slots=True)
class Seen:
    """What was claimed beside what was: seconds that a claim was too good, and too bad.

    How much too bad is asked of claims that were just made: until the next one they grow old.
    """

    samples: int = 0
    less: list[float] = field(default_factory=list)
    above: list[float] = field(default_factory=list)

    def take(self, claimed: float, before: float, after: float, *, fresh: bool) -> None:
        """A claim, and from when on commits were really not held, looked at before and after."""
        self.samples += 1
        if fresh:
            self.above.append(before - claimed)
        if claimed > after:
            self.less.append(claimed - after)


@dataclass(frozen=True, slots=True)
class Trial:
    """A log under watch: what is said of it, what really is, and how the two compared."""

    log: Log
    heard: Heard
    commits: Commits
    archive: Archive
    seen: dict[str, Seen]


@pytest.mark.timeout(600)
def test_what_may_be_lost_is_never_said_to_be_less_and_little_more(site: Site) -> None:
    seen = {"receiver": Seen(), "repository": Seen()}
    with guarded(with_log(site)) as (_, log, heard), committing(site) as commits:
        subject = f"{log.subject}@main"
        until(lambda: heard.cause(subject) == "" and len(commits.told) > 20, 60)
        archive = open_archive(log, "main", system(log), SEGMENT_BYTES)
        trial = Trial(log, heard, commits, archive, seen)
        for stall in STALLS:
            watch(trial, 5.0)
            pids = receivers(site)
            hit(site, signal.SIGSTOP)
            watch(trial, stall)
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            watch(trial, 4.0)
    for name, found in seen.items():
        assert found.samples > len(found.above) > 20
        ordered = sorted(found.above)
        median, late = ordered[len(ordered) // 2], sum(one > ALLOWED for one in ordered)
        print(
            f"{name}: looked at {found.samples} times, {len(found.less)} too good;"
            f" {len(ordered)} claims, above what was: median {median:.2f} s, most"
            f" {ordered[-1]:.2f} s, more than {ALLOWED:.0f} s in {late}"
        )
        assert median < ALLOWED
    assert not any(found.less for found in seen.values())


def watch(trial: Trial, seconds: float) -> None:
    """Compare again and again, for so long."""
    place, archive = trial.log.directories["one"], trial.archive
    over, known = time.monotonic() + seconds, trial.heard.times
    while time.monotonic() < over:
        fresh, known = trial.heard.times > known, trial.heard.times
        compare(trial, "receiver", lambda: received(place), fresh=fresh)
        compare(trial, "repository", lambda: kept(archive), fresh=fresh)
        time.sleep(0.02)


def compare(trial: Trial, who: str, end: Callable[[], int], *, fresh: bool) -> None:
    """The claim, between two looks at what is really there."""
    now = time.time()
    before = trial.commits.lost_since(end(), now)
    labels = {"receiver": "one"} if who == "receiver" else {}
    claimed = trial.heard.figure(f"opsd_wal_{who}_held_timestamp_seconds", **labels)
    if claimed is not None:
        after = trial.commits.lost_since(end(), time.time())
        trial.seen[who].take(claimed, before, after, fresh=fresh)


def received(directory: Path) -> int:
    """How far the files of a receiver go."""
    newest = max(path.name for path in directory.iterdir() if Segment.of(path.name[:24]))
    segment = Segment.of(newest[:24])
    assert segment
    if not newest.endswith(PARTIAL):
        return segment.start() + SEGMENT_BYTES
    return segment.start() + policy.filled((directory / newest).read_bytes(), 0)


def kept(archive: Archive) -> int:
    """How far the objects of a repository go."""
    held = archive.holdings()
    first = min(held.segments)
    return policy.chain(held, first.timeline, first.start(), SEGMENT_BYTES).end


def system(log: Log) -> str:
    """The server's own number."""
    path = next(path for path in log.directories["one"].iterdir() if Segment.of(path.name[:24]))
    head = policy.heading(path.read_bytes()[:64])
    assert head
    return head.system


@contextmanager
def committing(site: Site) -> Iterator[Commits]:
    """Somebody commits ten times a second, waiting for nobody, and notes where the log ended."""
    commits = Commits()
    sql(site, "CREATE TABLE told (at timestamptz)")

    def work(over: threading.Event) -> None:
        with psycopg.connect(site.system.connection, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = local")
            while not over.wait(0.1):
                at = time.time()
                connection.execute("INSERT INTO told VALUES (now())")
                query = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"
                lsn = connection.execute(query).fetchall()[0][0]
                commits.told.append((at, int(lsn)))

    with meanwhile(work):
        yield commits
