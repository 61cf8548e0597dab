"""What strikes a receiver, with a real server: seen, named, recovered from, no commit lost."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsd.demo.psql import ask
from opsd.model import Outcome
from opsd.tasks.kit import Kit
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import WAL, Heard, guarded, sql, until, with_log
from tests.s3 import Server, in_bucket
from tests.site import Site

OLD, NEW = "only for tests", "only for tests too"
MORE = """\
slot_limit: 48MiB
          passfile: {base}/wal-password"""


@dataclass(frozen=True, slots=True)
class Struck:
    """A site under way, and what a fault may touch of it."""

    site: Site
    kit: Kit
    log: Log
    heard: Heard

    @property
    def one(self) -> Path:
        """The directory of the receiver that is struck."""
        return self.log.directories["one"]

    def pid(self) -> int:
        """Its process."""
        found = subprocess.run(
            ["pgrep", "-f", f"^[^ ]*pg_receivewal .*-D {self.one}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return int(found.stdout.split()[0])


def a_disk_fills(struck: Struck) -> Callable[[], None]:
    """Not a byte is left under the receiver."""
    filler = struck.one / "filler"
    with filler.open("wb") as stream:
        try:
            while stream.write(b"x" * 65536):
                stream.flush()
        except OSError:
            pass
    write(struck.site, 3)
    return filler.unlink


def a_slot_grows_too_large(struck: Struck) -> Callable[[], None]:
    """It stays away until the server gives up what it kept for it."""
    back = its_role_may_not_come_in(struck)
    lost = "SELECT count(*) FROM pg_replication_slots WHERE wal_status = 'lost'"
    for _ in range(40):
        write(struck.site, 1)
        sql(struck.site, "CHECKPOINT")
        if sql(struck.site, lost) == [("1",)]:
            break
    assert sql(struck.site, lost) == [("1",)]
    return back


def it_hangs(struck: Struck) -> Callable[[], None]:
    """It is there, connected, and does nothing; nobody comes to help."""
    os.kill(struck.pid(), signal.SIGSTOP)
    write(struck.site, 1)
    return lambda: None


def a_password_is_changed(struck: Struck) -> Callable[[], None]:
    """The one that the receiver has does not open any more, until it is told the new one."""
    sql(struck.site, f"ALTER ROLE opsd_wal PASSWORD '{NEW}'")
    os.kill(struck.pid(), signal.SIGKILL)
    return lambda: knows(struck.site, NEW)


def its_role_may_not_come_in(struck: Struck) -> Callable[[], None]:
    """The role itself is shut out."""
    sql(struck.site, "ALTER ROLE opsd_wal NOLOGIN")
    os.kill(struck.pid(), signal.SIGKILL)

    def back() -> None:
        sql(struck.site, "ALTER ROLE opsd_wal LOGIN")

    return back


def the_server_has_another_address(struck: Struck) -> Callable[[], None]:
    """Its socket is elsewhere for a while."""
    server = struck.site.system.cluster
    socket = server.directory / ".s.PGSQL.5432"
    moved = socket.with_name("moved")
    socket.rename(moved)
    os.kill(struck.pid(), signal.SIGKILL)

    def back() -> None:
        moved.rename(socket)

    return back


FAULTS = {
    "its disk fills": (a_disk_fills, {"disk", "receiver_down"}),
    "its slot grows too large": (a_slot_grows_too_large, {"slot_lost", "slot_large"}),
    "its role may not come in": (its_role_may_not_come_in, {"receiver_down"}),
    "its password is changed": (a_password_is_changed, {"receiver_down"}),
    "it hangs": (it_hangs, {"receiver_hung"}),
    "the server is elsewhere": (the_server_has_another_address, {"receiver_down", "unreachable"}),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FAULTS)
def test_what_strikes_a_receiver_is_named_recovered_from_and_loses_nothing(
    site: Site, name: str
) -> None:
    strike, causes = FAULTS[name]
    small = WAL.replace("slot_limit: 1GiB", MORE)
    asks_for_a_password(site)
    with small_disk(site.base / "wal" / "one"), guarded(with_log(site, wal=small)) as found:
        struck = Struck(site, *found)
        kit, log, heard = found
        sql(site, "CREATE TABLE moments (number int)")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        subject = f"{log.subject}/one"
        heard.causes.clear()
        heal = strike(struck)
        until(lambda: causes & heard.causes.get(subject, set()), 60)
        heal()
        until(lambda: heard.cause(subject) == "", 120)
        until(lambda: heard.cause(log.subject) == "", 60)
        write(site, 1)
        assert brought_back(site, kit, log, heard)


def brought_back(site: Site, kit: Kit, log: Log, heard: Heard) -> bool:
    """Whether the repository alone brings every row back."""
    ((rows,),) = sql(site, "SELECT count(*) FROM moments")
    ((now,),) = sql(site, "SELECT extract(epoch FROM now())")
    metric = "opsd_wal_repository_held_timestamp_seconds"
    until(lambda: (heard.figure(metric) or 0) > float(now), 120)
    until(lambda: heard.cause(f"{log.subject}@main") == "", 60)
    ways = Ways(throwaway=True, here=False)
    planned = planning.plan(log, Goal("now"), site.base / "back", ways)
    with recovering.recovered(kit, planned, ways) as (done, server):
        assert done.good
        return ask(server.connection("dossiers"), "SELECT count(*) FROM moments") == [(rows,)]


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("s3")
def test_a_log_in_a_bucket_brings_everything_back(site: Site, s3: Server) -> None:
    prefix = f"log-{secrets.token_hex(4)}"
    s3.upload(site.repository, prefix)
    with guarded(with_log(in_bucket(site, s3, prefix))) as (kit, log, heard):
        sql(site, "CREATE TABLE moments (number int)")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        write(site, 3)
        sql(site, "INSERT INTO moments VALUES (1)")
        assert brought_back(site, kit, log, heard)


def asks_for_a_password(site: Site) -> None:
    """The server lets the role that receives its log in by a password alone, which is known."""
    rules = site.system.cluster.data / "pg_hba.conf"
    ours = "local replication,all opsd_wal scram-sha-256\n"
    rules.write_text(ours + rules.read_text(encoding="utf-8"), encoding="utf-8")
    sql(site, "SELECT pg_reload_conf()")
    sql(site, f"CREATE ROLE opsd_wal LOGIN REPLICATION NOINHERIT PASSWORD '{OLD}'")
    knows(site, OLD)


def knows(site: Site, password: str) -> None:
    """What opsd is told the password of the role is."""
    passfile = site.base / "wal-password"
    passfile.touch(mode=0o600)
    passfile.write_text(f"*:*:*:opsd_wal:{password}\n", encoding="utf-8")


def write(site: Site, segments: int) -> None:
    """Fill segments of the log."""
    for _ in range(segments):
        sql(site, "INSERT INTO moments SELECT generate_series(1, 1000)")
        sql(site, "SELECT pg_switch_wal()")


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A disk of its own for a receiver."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
