"""`python -m benchmarks wal`: a week of a database's log and base copies, beside pgBackRest.

One server, archived by both at once: opsd's receivers and base copies, pgBackRest's archiving and
block incremental backups. Each night both take their copy after the same day of changes; then both
bring the last commit back, into an empty directory and over an older cluster.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from benchmarks import machine, measure, week
from benchmarks.archived import BACKREST, CONFIG, OTHERS, Bench
from benchmarks.borgmatic import ROOT
from benchmarks.measure import Cost
from benchmarks.week import SCATTERED, Day
from opsd.drivers import cluster
from opsd.drivers.cluster import Cluster

RESULTS = Path(__file__).resolve().parent / "results"
_SCALE_MIB = 16  # a unit of pgbench's
_MIB = 1 << 20
_PATIENCE = 240
_LOOKED = 20  # seconds
_QUIET = 0.1  # of a core: less than any work takes
_TOGETHER = """
    UPDATE pgbench_accounts SET abalance = abalance + 1
     WHERE aid BETWEEN (SELECT max(aid) FROM pgbench_accounts)::bigint * %(number)s / 100
                   AND (SELECT max(aid) FROM pgbench_accounts)::bigint * (%(number)s + 1) / 100
"""
_EVERYWHERE = """
    UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid %% 100 = %(number)s
"""


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
    backrest = OTHERS / "bin" / "pgbackrest"
    if not backrest.exists():
        print("pgBackRest and PostgreSQL 17 are not here: run `tools/setup soak`")
        return 1
    base = Path(tempfile.mkdtemp(prefix="opsd-bench-", dir=asked.directory))
    base.chmod(0o711)
    try:
        text, figures = _measured(asked, base, str(backrest))
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


def _measured(
    asked: argparse.Namespace, base: Path, backrest: str
) -> tuple[str, dict[str, object]]:
    roots = OTHERS / "lib" / "postgresql"
    cluster._DEBIAN_ROOT = roots  # noqa: SLF001  (the programs of this measurement alone)
    load = os.getloadavg()
    with _running(base, backrest, asked.mib) as bench:
        latency = {"nobody": _latency(bench, asked.commits)}
        with _protected(bench) as daemon:
            latency["any of two receivers"] = _latency(bench, asked.commits)
            days = [_day(bench, daemon, 0)]
            idle = _idle(daemon)
            days[0] = replace(days[0], shipped_cpu=_cpu(daemon))  # its whole first night
            days += [_day(bench, daemon, number, idle) for number in range(1, asked.days + 1)]
            _settle(bench)
        old = base / "old"
        shutil.copytree(bench.server.data, old / "cluster", symlinks=True)
        bench.server.stop()
        back = _back(bench, old)
    figures: dict[str, object] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "mib": asked.mib,
        "load": load,
        "machine": machine.facts(borgmatic=False),
        "days": [asdict(day) for day in days],
        "recovery": {name: cost.figures for name, cost in back.items()},
        "commit_milliseconds": latency,
        "idle_cores": idle,
    }
    return week.told(asked.mib, days, idle, back, latency), figures


@contextmanager
def _running(base: Path, backrest: str, mib: int) -> Iterator[Bench]:
    """A server with data, archived by pgBackRest."""
    programs = cluster.binaries(17)
    archive = base / "pgbackrest-archive.sh"  # it insists on its name
    archive.write_text(
        f'#!/bin/bash\n{backrest} --config={base}/backrest.conf --stanza=one archive-push "$1"\n'
        f"code=$?\ntimes >>{base}/archive.times\nexit $code\n"
    )
    archive.chmod(0o755)
    settings = {
        "wal_level": "replica",
        "archive_mode": "on",
        "archive_command": f"{archive} %p",
        "summarize_wal": "on",
        "shared_buffers": "256MB",
        "max_wal_size": "4GB",
        "log_min_messages": "fatal",
    }
    server = Cluster(base / "server", 17, settings)
    server.create()
    for name in ("backrest", "backrest.log", "backrest.lock", "backrest.spool", "back"):
        (base / name).mkdir()
        shutil.chown(base / name, cluster.SERVER_ACCOUNT)
    (base / "archive.times").touch(mode=0o666)
    (base / "archive.times").chmod(0o666)
    told = {"base": base, "data": server.data, "socket": server.directory}
    (base / "backrest.conf").write_text(BACKREST.format(**told))
    server.start()
    bench = Bench(base, programs, server, backrest)
    try:
        measure.run(bench.rest("stanza-create"))
        bench.bench("-i", "-q", "-s", str(max(mib // _SCALE_MIB, 1)))
        bench.sql("CREATE TABLE told (id bigserial, at timestamptz DEFAULT now())")
        yield bench
    finally:
        server.stop()


@contextmanager
def _protected(bench: Bench) -> Iterator[psutil.Process]:
    """Opsd's daemon, and commits that wait for its receivers."""
    base, now = bench.base, datetime.now(UTC)
    (base / "password").write_text("only for measuring\n")
    (base / "password").chmod(0o600)
    told = {"base": base, "connection": bench.connection, "never": f"{(now.hour + 19) % 24:02}:00"}
    Path(bench.config).write_text(CONFIG.format(**told))
    measure.run(bench.opsd("wal", "setup", "one"))
    with (base / "daemon.log").open("wb") as said:
        daemon = subprocess.Popen(bench.opsd("run"), stdout=said, stderr=said)
    try:
        _until(lambda: len(list((base / "wal").glob("*/*.partial"))) == 2)
        measure.run(bench.opsd("wal", "setup", "one"))
        yield psutil.Process(daemon.pid)
    finally:
        daemon.terminate()
        daemon.wait(_PATIENCE)


def _idle(daemon: psutil.Process) -> float:
    """How much of a core the daemon takes to watch, when its first night is over."""
    end = time.monotonic() + _PATIENCE
    while True:
        before = _cpu(daemon)
        time.sleep(_LOOKED)
        found = (_cpu(daemon) - before) / _LOOKED
        if found < _QUIET:
            return found
        if time.monotonic() > end:
            raise measure.Failed("the daemon does not come to rest")


def _day(bench: Bench, daemon: psutil.Process, number: int, idle: float = 0) -> Day:
    """A day of changes, and the night after it; day 0 is the first copy, of everything."""
    began, wal = time.monotonic(), _position(bench)
    ours, theirs = bench.grown("repository"), bench.grown("backrest")
    shipped, archived = _cpu(daemon), _archived(bench)
    if number:
        bench.sql(_TOGETHER if number < SCATTERED else _EVERYWHERE, number)
    copy = measure.run(bench.opsd("wal", "base", "one"))
    kind = "incr" if number else "full"
    backup = measure.run(bench.rest(f"--type={kind}", "backup"))
    _settle(bench)
    return Day(
        number,
        (_position(bench) - wal) / _MIB,
        (bench.grown("repository") - ours) / _MIB,
        copy.cpu,
        copy.wall,
        _cpu(daemon) - shipped - idle * (time.monotonic() - began),
        (bench.grown("backrest") - theirs) / _MIB,
        backup.cpu,
        backup.wall,
        _archived(bench) - archived,
    )


def _settle(bench: Bench) -> None:
    """End the segment, and wait until both have it."""
    with psycopg.connect(bench.connection, autocommit=True) as connection:
        connection.execute("INSERT INTO told DEFAULT VALUES")
        query = "SELECT pg_walfile_name(pg_current_wal_insert_lsn())"
        name = connection.execute(query).fetchall()[0][0]
        connection.execute("SELECT pg_switch_wal()")
        archived = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
        _until(lambda: connection.execute(archived, (name,)).fetchall()[0][0])
    _until(lambda: any((bench.base / "repository").rglob(name)))


def _back(bench: Bench, old: Path) -> dict[str, Cost]:
    """The last commit, brought back by both: into nothing, and over an older cluster."""
    base, found = bench.base, {}
    goal = ("recover", "one", "--to", "now", "--without-files", "--target")
    for name in ("opsd", "opsd, fetched"):
        shutil.copytree(old, base / "over", symlinks=True)
        found[f"{name}, full"] = measure.run(bench.opsd(*goal, str(base / "ours")))
        words = (str(base / "over"), "--delta", "--over-live-cluster")
        found[f"{name}, delta"] = measure.run(bench.opsd(*goal, *words))
        for place in ("ours", "over", "cache/bases"):
            shutil.rmtree(base / place, ignore_errors=True)  # from now on nothing is at hand
    target = base / "back" / "cluster"
    restore = (f"--pg1-path={target}", "--target-timeline=latest", "restore")
    start = (
        *("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"),
        *(str(bench.programs / "pg_ctl"), "-D", str(target), "-w", "-t", "600", "-s"),
        *("-l", str(base / "back" / "log"), "-o"),
        f"-c archive_mode=off -c listen_addresses='' -c unix_socket_directories={base}/back",
        "start",
    )
    stop = (*start[:4], str(bench.programs / "pg_ctl"), "-D", str(target), "-s", "stop")
    for name, more in (("pgBackRest, full", ()), ("pgBackRest, delta", ("--delta",))):
        target.mkdir(exist_ok=True)
        shutil.chown(target, cluster.SERVER_ACCOUNT)
        target.chmod(0o700)
        cost = measure.run(bench.rest(*restore, *more))
        found[name] = cost + _replayed(start, f"host={base}/back dbname=postgres user=opsd")
        measure.run(stop)
    return found


def _replayed(start: tuple[str, ...], connection: str) -> Cost:
    """Let pgBackRest's server replay until it is one of its own."""
    began = time.monotonic()
    cost = measure.run(start)

    def own() -> bool:
        with psycopg.connect(connection, autocommit=True) as opened:
            return not opened.execute("SELECT pg_is_in_recovery()").fetchall()[0][0]

    _until(own)
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


def _cpu(daemon: psutil.Process) -> float:
    """Seconds of the daemon and of what it runs and ran."""
    times = [daemon.cpu_times(), *(child.cpu_times() for child in daemon.children(recursive=True))]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def _archived(bench: Bench) -> float:
    """Seconds of all pgBackRest's archiving until now."""
    text = (bench.base / "archive.times").read_text()
    return sum(60 * int(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", text))


def _until(what: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not what():
        if time.monotonic() > end:
            raise measure.Failed("it did not come to that")
        time.sleep(0.1)
