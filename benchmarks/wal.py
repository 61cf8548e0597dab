"""`python -m benchmarks wal`: a week of a database's log and base copies, beside its peers.

One server, kept by all at once: opsd's receivers and base copies, pgBackRest's archiving and block
incremental backups, Barman's receiver and incremental backups. Each night all take their copy after
the same day of changes; then each brings the last commit back, into an empty directory and over an
older cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from benchmarks import machine, measure, week
from benchmarks.archived import (
    ACCOUNT,
    CONFIG,
    OTHERS,
    PATIENCE,
    Bench,
    Peer,
    cpu,
    grown,
    own,
    until,
)
from benchmarks.backrest import BackRest
from benchmarks.barman import Barman
from benchmarks.borgmatic import ROOT
from benchmarks.measure import Cost
from benchmarks.week import OURS, SCATTERED, Day, Kept, Week
from opsd.drivers import cluster
from opsd.drivers.cluster import Cluster

RESULTS = Path(__file__).resolve().parent / "results"
_SCALE_MIB = 16  # a unit of pgbench's
_MIB = 1 << 20
_SETTINGS = {
    "wal_level": "replica",
    "summarize_wal": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "log_min_messages": "fatal",
}
_LOOKED = 20  # seconds
_RESTS = 3  # seconds
_ROUNDS = 3  # of recoveries: the middle one counts
_QUIET = 0.04  # of a core: less than any work takes
_TOGETHER = """
    UPDATE pgbench_accounts SET abalance = abalance + 1
     WHERE aid BETWEEN (SELECT max(aid) FROM pgbench_accounts)::bigint * %(number)s / 100
                   AND (SELECT max(aid) FROM pgbench_accounts)::bigint * (%(number)s + 1) / 100
"""
_EVERYWHERE = """
    UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid %% 100 = %(number)s
"""


@dataclass(slots=True)
class _Ours:
    """Opsd: what its first copy cost, its daemon, and how much of a core that takes to watch."""

    first: Cost
    daemon: psutil.Process
    idle: float = 0


def main(argv: Sequence[str]) -> int:
    """Measure a week, print it, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks wal", description=__doc__)
    parser.add_argument("--mib", type=int, default=2048, help="of the database (%(default)s)")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--commits", type=int, default=400, help="to measure their latency")
    parser.add_argument("--directory", type=Path, help="where to work (default: $TMPDIR)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to keep the result")
    parser.add_argument("--no-results", dest="results", action="store_const", const=None)
    asked = parser.parse_args(argv)
    os.environ["PATH"] = f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if not (OTHERS / "bin" / "barman").exists():
        print("PostgreSQL 17, pgBackRest and Barman are not here: run `tools/setup soak`")
        return 1
    base = Path(tempfile.mkdtemp(prefix="opsd-bench-", dir=asked.directory))
    base.chmod(0o711)
    try:
        text, figures = _measured(asked, base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(text)
    if asked.results:
        name = f"{datetime.now(UTC):%Y-%m-%d}-wal-{machine.kind()}"
        asked.results.mkdir(parents=True, exist_ok=True)
        (asked.results / f"{name}.md").write_text(text + "\n", encoding="utf-8")
        plain = json.dumps(figures, indent=1)
        (asked.results / f"{name}.json").write_text(plain + "\n", encoding="utf-8")
    return 0


def _measured(asked: argparse.Namespace, base: Path) -> tuple[str, dict[str, object]]:
    roots = OTHERS / "lib" / "postgresql"
    cluster._DEBIAN_ROOT = roots  # noqa: SLF001  (the programs of this measurement alone)
    load = os.getloadavg()
    bench = Bench(base, cluster.binaries(17), Cluster(base / "server", 17))
    peers: tuple[Peer, ...] = (BackRest(bench), Barman(bench))
    with _running(bench, peers, asked.mib):
        latency = {"nobody": _latency(bench, asked.commits)}
        with _protected(bench) as ours, ExitStack() as stack:
            latency["any of two receivers"] = _latency(bench, asked.commits)
            for peer in peers:
                stack.enter_context(peer.keeping())
            days = [_day(bench, ours, peers, 0)]
            ours.idle = _idle(ours.daemon)
            night = replace(days[0].kept[OURS], log_cpu=cpu(ours.daemon))  # the whole first one
            days[0] = replace(days[0], kept={**days[0].kept, OURS: night})
            days += [_day(bench, ours, peers, n) for n in range(1, asked.days + 1)]
            last = _settle(bench, peers)
        old = base / "old"
        shutil.copytree(bench.server.data, old / "cluster", symlinks=True)
        bench.server.stop()
        rounds = [_ours(bench, old) | _theirs(bench, peers, old, last) for _ in range(_ROUNDS)]
        recovery = {name: _middle([one[name] for one in rounds]) for name in rounds[0]}
    facts = machine.facts(borgmatic=False) | {peer.name: peer.version for peer in peers}
    found = Week(asked.mib, facts, days, ours.idle, recovery, latency)
    figures: dict[str, object] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "mib": asked.mib,
        "load": load,
        "machine": facts,
        "days": [asdict(day) for day in days],
        "recovery": {name: cost and cost.figures for name, cost in recovery.items()},
        "commit_milliseconds": latency,
        "idle_cores": ours.idle,
    }
    return week.told(found, {peer.name: peer.manner for peer in peers}), figures


@contextmanager
def _running(bench: Bench, peers: Sequence[Peer], mib: int) -> Iterator[None]:
    """The server, with data."""
    server = bench.server
    server.settings = _SETTINGS | {name: v for one in peers for name, v in one.settings.items()}
    server.create()
    server.start()
    try:
        bench.bench("-i", "-q", "-s", str(max(mib // _SCALE_MIB, 1)))
        bench.sql("CREATE TABLE told (id bigserial, at timestamptz DEFAULT now())")
        bench.sql("CHECKPOINT")  # the log until here is nobody's
        yield
    finally:
        server.stop()


@contextmanager
def _protected(bench: Bench) -> Iterator[_Ours]:
    """Opsd's first copy and its daemon, and commits that wait for its receivers."""
    base, now = bench.base, datetime.now(UTC)
    (base / "password").write_text("only for measuring\n")
    (base / "password").chmod(0o600)
    told = {"base": base, "connection": bench.connection, "never": f"{(now.hour + 19) % 24:02}:00"}
    Path(bench.config).write_text(CONFIG.format(**told))
    # As pgBackRest's `stanza-create`, it is no part of a copy.
    place = ("--repo", str(base / "repository"), "--password-file", str(base / "password"))
    measure.run(("restic", *place, "init"))
    measure.run(bench.opsd("wal", "setup", "one"))
    first = measure.run(bench.opsd("wal", "base", "one"))  # the daemon would take it at once
    with (base / "daemon.log").open("wb") as said:
        daemon = subprocess.Popen(bench.opsd("run"), stdout=said, stderr=said)
    try:
        until(lambda: len(list((base / "wal").glob("*/*.partial"))) == 2)
        measure.run(bench.opsd("wal", "setup", "one"))
        yield _Ours(first, psutil.Process(daemon.pid))
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)


def _idle(daemon: psutil.Process) -> float:
    """How much of a core the daemon takes to watch, when its first night is over."""
    end = time.monotonic() + PATIENCE
    while True:
        before = cpu(daemon)
        time.sleep(_LOOKED)
        found = (cpu(daemon) - before) / _LOOKED
        if found < _QUIET:
            return found
        if time.monotonic() > end:
            raise measure.Failed("the daemon does not come to rest")


def _day(bench: Bench, ours: _Ours, peers: Sequence[Peer], number: int) -> Day:
    """A day of changes, and the night after it; day 0 is the first copy, of everything."""
    began, wal = time.monotonic(), _position(bench)
    size, log = grown(bench.kept) if number else 0, cpu(ours.daemon)
    before = [(grown(peer.repository), peer.log_cpu()) for peer in peers]
    if number:
        bench.sql(_TOGETHER if number < SCATTERED else _EVERYWHERE, number)
    copy = measure.run(bench.opsd("wal", "base", "one")) if number else ours.first
    copies = [peer.copy(whole=not number) for peer in peers]
    _settle(bench, peers)
    log = cpu(ours.daemon) - log - ours.idle * (time.monotonic() - began)
    kept = {OURS: _kept(grown(bench.kept) - size, copy, log)}
    for peer, copy, (size, log) in zip(peers, copies, before, strict=True):
        kept[peer.name] = _kept(grown(peer.repository) - size, copy, peer.log_cpu() - log)
    return Day(number, (_position(bench) - wal) / _MIB, kept)


def _kept(size: int, copy: Cost, log: float) -> Kept:
    return Kept(size / _MIB, copy.cpu, copy.wall, log)


def _settle(bench: Bench, peers: Sequence[Peer]) -> int:
    """Commit a last row, end its segment, and wait until all have it; the row's number."""
    with psycopg.connect(bench.connection, autocommit=True) as connection:
        query = "INSERT INTO told DEFAULT VALUES RETURNING id"
        last = int(connection.execute(query).fetchall()[0][0])
        query = "SELECT pg_walfile_name(pg_current_wal_insert_lsn())"
        segment = str(connection.execute(query).fetchall()[0][0])
        connection.execute("SELECT pg_switch_wal()")
    for peer in peers:
        peer.settle(segment)
    until(lambda: any(bench.kept.rglob(segment)))
    return last


def _ours(bench: Bench, old: Path) -> dict[str, Cost | None]:
    """The last commit, brought back by opsd: into nothing, and over an older cluster."""
    found = dict[str, Cost | None]()
    goal = ("recover", "one", "--to", "now", "--without-files", "--target")
    over = bench.base / "over"
    for name, words in (("full", ()), ("delta", ("--delta", "--over-live-cluster"))):
        if words:
            shutil.copytree(old, over, symlinks=True)
        _rest()
        found[f"{OURS}, {name}"] = measure.run(bench.opsd(*goal, str(over), *words))
        shutil.rmtree(over)
    return found


def _theirs(bench: Bench, peers: Sequence[Peer], old: Path, last: int) -> dict[str, Cost | None]:
    """The row `last`, brought back by each peer."""
    found: dict[str, Cost | None] = {}
    home = own(bench.base / "back")
    control = (*ACCOUNT, str(bench.programs / "pg_ctl"), "-D", str(home / "cluster"), "-s")
    start = (
        *(*control, "-w", "-t", "600", "-l", str(home / "log"), "-o"),
        f"-c archive_mode=off -c listen_addresses='' -c unix_socket_directories={home}",
        "start",
    )
    for peer in peers:
        for name, delta in (("full", False), ("delta", True)):
            target = _stopped(old, home / "cluster") if delta else own(home / "cluster")
            _rest()
            cost = peer.restore(target, delta=delta)
            if cost:
                try:
                    cost += _replayed(start, f"host={home} dbname=postgres user=opsd", last)
                finally:
                    measure.run((*control, "stop"))
            found[f"{peer.name}, {name}"] = cost
            shutil.rmtree(target)
    return found


def _rest() -> None:
    """Let the disk do what others left it to do: to write, and to give up what was removed."""
    os.sync()
    time.sleep(_RESTS)


def _stopped(old: Path, target: Path) -> Path:
    """The older cluster as one that stands still, for those who look no further than its file."""
    shutil.copytree(old / "cluster", target, symlinks=True)
    (target / "postmaster.pid").unlink()
    for path in (target, *target.rglob("*")):
        shutil.chown(path, cluster.SERVER_ACCOUNT)
    return target


def _middle(costs: Sequence[Cost | None]) -> Cost | None:
    """The one that took neither the longest nor the shortest; None where there are none."""
    found = sorted(filter(None, costs), key=lambda cost: cost.wall)
    return found[len(found) // 2] if found else None


def _replayed(start: tuple[str, ...], connection: str, last: int) -> Cost:
    """Let the server replay until it has that row and is one of its own."""
    began = time.monotonic()
    cost = measure.run(start)
    query = "SELECT NOT pg_is_in_recovery() AND max(id) = %s FROM told"

    def arrived() -> bool:
        with psycopg.connect(connection, autocommit=True) as opened:
            return bool(opened.execute(query, (last,)).fetchall()[0][0])

    until(arrived)
    return Cost(wall=time.monotonic() - began, cpu=cost.cpu)


def _latency(bench: Bench, commits: int) -> float:
    """Milliseconds from the statement to the answer, of one client."""
    script = bench.base / "insert.sql"
    script.write_text("INSERT INTO told DEFAULT VALUES;\n")
    said = bench.bench("-n", "-c", "1", "-t", str(commits), "-f", str(script))
    found = re.search(r"latency average = ([\d.]+) ms", said)
    return float(found[1]) if found else float("nan")


def _position(bench: Bench) -> int:
    with psycopg.connect(bench.connection, autocommit=True) as connection:
        query = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
        return int(connection.execute(query).fetchall()[0][0])
