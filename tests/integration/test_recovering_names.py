"""A name older than the newest base copy, in a bucket, in small segments; and a pause there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.demo.psql import ask
from opsd.drivers import cluster
from opsd.drivers.restic import Source
from opsd.model import MemberKind, Outcome
from opsd.tasks.binlog.bases import TAG
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import kind_mark
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.layout import DATA
from tests.logs import guarded, held_until_now, sql, with_log
from tests.s3 import Server, in_bucket
from tests.site import SET, Site

TEN = "INSERT INTO moments SELECT generate_series(1, 10)"
POINT = "SELECT pg_create_restore_point('before_upgrade')"
PROGRAMS = cluster.binaries(cluster.newest())


def run_as_server(*argv: str) -> None:
    """Run one of PostgreSQL's programs as its account."""
    subprocess.run(
        ["setpriv", f"--reuid={cluster.SERVER_ACCOUNT}", "--init-groups", *argv],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )


def small_segments(site: Site) -> None:
    """Segments of 1 MiB, and settings that a restored point in time may stumble over."""
    site.system.stop()
    data = str(site.system.cluster.data)
    run_as_server(str(PROGRAMS / "pg_resetwal"), "--wal-segsize=1", "-D", data)
    with (site.system.cluster.data / "postgresql.conf").open("a") as settings:
        settings.write("recovery_target_time '2020-01-01 00:00:00+07'\nhot_standby off\n")
    site.system.start()


def with_another_engine(site: Site, kit: Kit) -> None:
    """Base copies of a MariaDB server lie in the same repository, for the same set and another."""
    limits = kit.limits("main", timedelta(minutes=1))
    for backup_set in (SET, "fees"):
        tags = (TAG, f"set:{backup_set}", "member:fees", *kind_mark(MemberKind.MARIADB))
        kit.restic("main").backup(Source(site.base / "password", "test-host", tags), limits=limits)


def recover(
    site: Site, url: str, name: str, target: Path, backup_set: str = SET
) -> subprocess.CompletedProcess[str]:
    """From the repository alone."""
    words = (
        "recover",
        backup_set,
        "--to",
        "name",
        name,
        "--target",
        str(target),
        "--pause",
        "--json",
    )
    where = ("--repository-url", url, "--password-file")
    home = site.base / "home"
    (home / ".aws").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(site.base / "right-keys", home / ".aws" / "credentials")
    return subprocess.run(
        [sys.executable, "-m", "opsd", *words, *where, str(site.base / "password")],
        cwd=site.base,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@contextmanager
def started(target: Path) -> Iterator[str]:
    """Started by hand, as the documentation says; gives the way to it."""
    control = (str(PROGRAMS / "pg_ctl"), "-D", str(target / DATA))
    options = f"-k {target} -p 5432 -c listen_addresses="
    said = target / "by-hand.log"
    try:
        run_as_server(*control, "-w", "-l", str(said), "-o", options, "start")
    except subprocess.CalledProcessError:
        pytest.fail(said.read_text())
    try:
        yield f"host={target} port=5432 user=opsd dbname=dossiers"
    finally:
        run_as_server(*control, "-m", "fast", "stop")


@pytest.mark.xdist_group("s3")
def test_a_name_older_than_the_newest_base_copy_is_where_it_waits(site: Site, s3: Server) -> None:
    small_segments(site)
    prefix = f"names-{secrets.token_hex(4)}"
    s3.upload(site.repository, prefix)
    with guarded(with_log(in_bucket(site, s3, prefix))) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT generate_series(1, 10) AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, POINT)
        sql(site, TEN)
        sql(site, POINT)  # of the same name the newest counts
        sql(site, TEN)
        sql(site, "CREATE TABLE much AS SELECT repeat('x', 500) FROM generate_series(1, 20000)")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, TEN)
        held_until_now(heard)
        first, second = bases(log, "main")
        with_another_engine(site, kit)
        assert first.segment_bytes == second.segment_bytes == 1 << 20
    shutil.rmtree(site.base / "wal")  # nobody here knows any more how long a segment was

    nowhere = recover(site, s3.url(prefix), "Before_Upgrade", site.base / "back")
    assert json.loads(nowhere.stdout)["error"]["key"] == "recover.no_name", nowhere.stdout
    assert not (site.base / "back").exists()
    other = recover(site, s3.url(prefix), "before_upgrade", site.base / "back", "fees")
    assert json.loads(other.stdout)["error"]["key"] == "recover.bare_mariadb", other.stdout
    wrong = recover(site, s3.url(prefix), "before_upgrade", site.base / "back", "dossier")
    error = json.loads(wrong.stdout)["error"]
    assert (error["key"], SET in error["text"]) == ("recover.bare_no_base", True)
    done = recover(site, s3.url(prefix), "before_upgrade", site.base / "back")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["plan"]["base"] == first.id
    assert json.loads(done.stdout)["recovered"]["paused"] is True

    with started(site.base / "back") as way:
        asked = "SELECT pg_get_wal_replay_pause_state(), count(*) FROM moments"
        assert ask(way, asked) == [("paused", "20")]
        ask(way, "SELECT pg_wal_replay_resume()")
        ask(way, "DO 'BEGIN WHILE pg_is_in_recovery() LOOP PERFORM pg_sleep(0.05); END LOOP; END'")
        ask(way, TEN)
