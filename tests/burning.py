"""The burning server: clients record each commit they were told of, and then everything burns."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from opsd.demo.system import DossierSystem
from opsd.drivers.process import Stop
from opsd.policy import protection
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import logs_of
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import guarded, hit, receivers, sql, until, with_log
from tests.roads import Road
from tests.site import SET, SMALL, Site, copy_of, workplace

CLIENTS = 3
FAULTS = (
    "server",
    "server and receiver",
    "receiver, then server",
    "opsd, then server",
    "server and opsd",
    "a receiver's disk, then server",
    "a receiver stopped, then server",
    "both receivers stopped, then server",
    "link cut, then server",
    "link cut and opsd, then server",
    "link cut and receiver, then server",
    "receiver and opsd, then server",
    "server and link cut",
)
# More than waiting for any one can cover: a commit may be with that one alone.
SAME_INSTANT = "server and a receiver's disk"
# The receivers come to the server on roads of their own, which can be cut.
WAL_ON_ROADS = """\
        wal:
          receivers:
            one: {{directory: {base}/wal/one, connection: "host={base}/roads/one dbname=postgres"}}
            two: {{directory: {base}/wal/two, connection: "host={base}/roads/two dbname=postgres"}}
          ship_every: 1s
          slot_limit: 1GiB
          min_free: 1MiB
          wait_for: {wait_for}
"""


@dataclass(slots=True)
class Round:
    """What one round came to."""

    fault: str
    acknowledged: int
    lost: int
    seconds: float  # from the beginning of the recovery to its end


@contextmanager
def kindling(template: Path) -> Iterator[Path]:
    """A site with a base copy, its log received, and commits that wait: stopped, to be copied."""
    with workplace() as base:
        system = copy_of(template, base)
        system.start()
        site = with_log(_site(base, system))
        sql(site, "CREATE TABLE told (id bigint PRIMARY KEY, client int)")
        with guarded(site, leave=True) as (kit, log, _):
            take_base(kit, log)
        yield base


def _site(base: Path, system: DossierSystem) -> Site:
    password = base / "password"
    if not password.exists():
        password.write_text("only for tests\n")
        password.chmod(0o600)
    return Site(base, system)


def burn(kindling: Path, fault: str, seed: int, *, wait_for: int = 1) -> Round:
    """One round: clients work, `fault` strikes, the data goes; another path gets it back.

    Commits wait for so many of the two receivers; for none, they may be lost.
    """
    chance = random.Random(seed)
    with workplace() as base:
        subprocess.run(["cp", "-a", "--reflink=auto", f"{kindling}/.", str(base)], check=True)
        base.chmod(0o711)
        shutil.rmtree(base / "scratch", ignore_errors=True)
        wal = WAL_ON_ROADS.replace("{wait_for}", str(max(wait_for, 1)))
        site = with_log(_site(base, DossierSystem(base / "system", SMALL)), wal=wal)
        site.system.cluster.start()
        server = site.system.cluster.directory
        roads = {name: Road(base / "roads" / name, server) for name in ("one", "two")}
        names = protection.names(("opsd_one", "opsd_two"), wait_for)
        sql(site, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        sql(site, "SELECT pg_reload_conf()")
        daemon = site.opsd("run")
        try:
            until(lambda: len(receivers(site)) == 2, 60)
            with _working(site) as told:
                until(lambda: len(told.ids) > 20, 60)
                time.sleep(chance.uniform(0.2, 1.5))
                _strike(Stage(site, daemon, roads), fault, chance)
                told.over.set()
        finally:
            _kill(daemon)
            for road in roads.values():
                road.close()
            hit(site, signal.SIGKILL)
            site.system.cluster.stop(signal.SIGKILL)
        shutil.rmtree(site.system.cluster.data)
        present, seconds = _recovered(site, base / "elsewhere")
        return Round(fault, len(told.ids), len(told.ids - present), seconds)


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be struck."""

    site: Site
    daemon: subprocess.Popen[str]
    roads: Mapping[str, Road]


def _strike(stage: Stage, fault: str, chance: random.Random) -> None:
    victim = chance.choice(["one", "two"])
    first, _, rest = fault.partition(", then ")
    for part in first.split(" and ") if rest else ():
        _hurt(stage, part, victim)
    if rest:
        time.sleep(chance.uniform(0.1, 0.8))
    _kill_server(stage.site)
    if not rest and " and " in fault:
        _hurt(stage, fault.partition(" and ")[2], victim)


def _hurt(stage: Stage, what: str, victim: str) -> None:
    match what:
        case "opsd":
            _kill(stage.daemon)
        case "receiver":
            hit(stage.site, signal.SIGKILL, victim)
        case "a receiver stopped":
            hit(stage.site, signal.SIGSTOP, victim)
        case "both receivers stopped":
            hit(stage.site, signal.SIGSTOP)
        case "a receiver's disk":
            hit(stage.site, signal.SIGKILL, victim)
            shutil.rmtree(stage.site.base / "wal" / victim, ignore_errors=True)  # opsd looks there
        case "link cut":
            stage.roads[victim].cut()
        case _:
            raise AssertionError(what)


def _kill(daemon: subprocess.Popen[str]) -> None:
    if daemon.poll() is None:
        daemon.kill()
    daemon.communicate(timeout=60)


def _kill_server(site: Site) -> None:
    """All processes of the server at once, as the loss of power does."""
    os.killpg(site.system.cluster.pid, signal.SIGKILL)


def _recovered(site: Site, target: Path) -> tuple[set[int], float]:
    """What is there again, from receivers and repository."""
    began = time.monotonic()
    with site.kit() as kit:
        (log,) = logs_of(kit, SET)
        log = replace(log, kit=replace(kit, stop=Stop()))
        ways = Ways(throwaway=True)
        planned = planning.plan(log, Goal("now"), target, ways)
        with recovering.recovered(kit, planned, ways) as (_, server):
            seconds = time.monotonic() - began
            with psycopg.connect(server.connection(log.database_name)) as connection:
                rows = connection.execute("SELECT id FROM told").fetchall()
                # It is a server of its own: nobody else is waited for.
                connection.execute("INSERT INTO told VALUES (-1, -1)")
    return {row[0] for row in rows}, seconds


@dataclass(slots=True)
class Told:
    """What clients were told is committed."""

    ids: set[int] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _working(site: Site) -> Iterator[Told]:
    """Clients that insert, each as fast as it is told of its last commit."""
    told = Told()

    def work(client: int) -> None:
        number = client
        try:
            with psycopg.connect(site.system.connection, autocommit=True) as connection:
                while not told.over.is_set():
                    number += CLIENTS
                    connection.execute("INSERT INTO told VALUES (%s, %s)", (number, client))
                    told.ids.add(number)
        except psycopg.Error:
            return

    threads = [threading.Thread(target=work, args=(one,)) for one in range(1, CLIENTS + 1)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        told.over.set()
        for thread in threads:
            thread.join(30)
