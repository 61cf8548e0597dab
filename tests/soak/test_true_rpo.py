"""What opsd says may be lost, beside what would be: known stalls, and the files themselves."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from opsd.model import Outcome
from opsd.policy import wal as policy
from opsd.tasks.wal.archive import Archive, open_archive
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log
from opsd.wal import PARTIAL, SEGMENT_BYTES, Segment
from tests.logs import WAL, Heard, guarded, hit, receivers, sql, until, with_log
from tests.meanwhile import meanwhile
from tests.site import Site

STALLS = (3.0, 6.0)  # seconds
ALLOWED = 2.0  # seconds that a claim may be above what was
LONGEST = 2.0  # seconds for which it may be more: until the next claim


@dataclass(slots=True)
class Commits:
    """When somebody was told of each commit, and where the log ended then."""

    told: list[tuple[float, int]] = field(default_factory=list)

    def lost_since(self, end: int, now: float) -> float:
        """The moment of the first commit that a log to `end` lacks; now, when it has them all."""
        return next((at for at, lsn in list(self.told) if lsn > end), now)


@dataclass(slots=True)
class Seen:
    """What was claimed beside what was: seconds that a claim was too good, and too bad.

    `above` is by when it was looked at.
    """

    less: list[float] = field(default_factory=list)
    above: list[tuple[float, float]] = field(default_factory=list)

    def take(self, claimed: float, before: float, after: float) -> None:
        """A claim, and from when on commits were really not held, looked at before and after."""
        self.above.append((time.monotonic(), before - claimed))
        if claimed > after:
            self.less.append(claimed - after)

    def too_much(self) -> list[float]:
        """How long claims were above what is allowed, each time."""
        spans, since = [], None
        for at, above in self.above:
            if above > ALLOWED:
                since = since or at
            elif since is not None:
                spans.append(at - since)
                since = None
        return spans

    def told(self) -> str:
        """In a line."""
        ordered, spans = sorted(above for _, above in self.above), self.too_much()
        total = self.above[-1][0] - self.above[0][0]
        return (
            f"looked at {len(ordered)} times in {total:.0f} s, {len(self.less)} too good; above"
            f" what was: median {ordered[len(ordered) // 2]:.2f} s, most {ordered[-1]:.2f} s; more"
            f" than {ALLOWED:.0f} s {len(spans)} times, {sum(spans):.2f} s together,"
            f" {max(spans, default=0):.2f} s at a stretch"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """A log under watch: what is said of it, what really is, and how the two compared."""

    log: Log
    heard: Heard
    commits: Commits
    archive: Archive
    seen: dict[str, Seen]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", ["1s", "5s"])
def test_what_may_be_lost_is_never_said_to_be_less_and_little_more(site: Site, every: str) -> None:
    seen = {"receiver": Seen(), "repository": Seen()}
    wal = WAL.replace("ship_every: 1s", f"ship_every: {every}")
    with guarded(with_log(site, wal=wal)) as (kit, log, heard), committing(site) as commits:
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
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
            watch(trial, 6.0)
    for name, found in seen.items():
        print(f"{name}, shipped every {every}: {found.told()}")
    for found in seen.values():
        assert len(found.above) > 100
        assert not found.less
        assert max(found.too_much(), default=0) < LONGEST


def watch(trial: Trial, seconds: float) -> None:
    """Compare again and again, for so long."""
    place, archive = trial.log.directories["one"], trial.archive
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        compare(trial, "receiver", lambda: received(place))
        compare(trial, "repository", lambda: kept(archive))
        time.sleep(0.02)


def compare(trial: Trial, who: str, end: Callable[[], int]) -> None:
    """The claim, between two looks at what is really there."""
    now = time.time()
    before = trial.commits.lost_since(end(), now)
    labels = {"receiver": "one"} if who == "receiver" else {}
    claimed = trial.heard.figure(f"opsd_wal_{who}_held_timestamp_seconds", **labels)
    if claimed is not None:
        after = trial.commits.lost_since(end(), time.time())
        trial.seen[who].take(claimed, before, after)


def received(directory: Path) -> int:
    """How far the files of a receiver go."""
    newest = max(path.name for path in directory.iterdir() if Segment.of(path.name[:24]))
    segment = Segment.of(newest[:24])
    assert segment
    with suppress(FileNotFoundError):  # finished meanwhile
        if newest.endswith(PARTIAL):
            return segment.start() + policy.filled((directory / newest).read_bytes(), 0)
    return segment.start() + SEGMENT_BYTES


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
                connection.execute("INSERT INTO told VALUES (now())")
                at = time.time()
                query = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"
                lsn = connection.execute(query).fetchall()[0][0]
                commits.told.append((at, int(lsn)))

    with meanwhile(work):
        yield commits
