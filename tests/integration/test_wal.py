"""The log of a real server: received, guarded, kept; its faults seen, named and recovered from."""

from __future__ import annotations

import shutil
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.errors import Refused, StorageFailed
from opsd.model import Status, Task
from opsd.tasks.journal import opened
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.shipping import Shipper, clear
from opsd.wal import SEGMENT_BYTES, Segment
from tests.logs import finished, guarded, hit, objects, receivers, sql, until, with_log
from tests.site import SET, Site


def test_a_plan_shows_what_is_done_and_commits_wait_only_once_somebody_receives(site: Site) -> None:
    one = "        wal: {{receivers: {{here: {{directory: {base}/wal}}}}}}\n"
    with with_log(site, wal=one).kit() as kit:
        (log,) = logs_of(kit, SET)
        first = setting_up.plan(log)
        statements = [change.statement for change in first.changes]
        assert 'CREATE ROLE "opsd_wal" LOGIN REPLICATION NOINHERIT' in statements
        assert not any("synchronous_standby_names" in one for one in statements)
        assert not first.ready
        assert {advice.key for advice in first.advice} >= {"wal.lone_receiver", "wal.not_ready"}
        setting_up.carry_out(first)
        again = setting_up.plan(log)
        assert [change.statement for change in again.changes] == ["SELECT pg_reload_conf()"]
        assert "wal.no_way_in" not in {advice.key for advice in again.advice}
        sql(site, "ALTER ROLE opsd_wal CREATEDB")
        sql(site, "ALTER DATABASE dossiers SET synchronous_commit = off")
        keys = {advice.key for advice in setting_up.plan(log).advice}
        assert {"wal.role_may_more", "wal.stray_commit"} <= keys


def test_a_server_that_waits_for_what_no_receiver_does_is_refused(site: Site) -> None:
    sql(site, "ALTER SYSTEM SET synchronous_commit = remote_apply")
    sql(site, "SELECT pg_reload_conf()")
    with with_log(site).kit() as kit, pytest.raises(Refused, match="remote_apply"):
        setting_up.plan(logs_of(kit, SET)[0])


def test_no_base_copy_goes_into_another_repository_than_before(site: Site) -> None:
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        with opened(kit, Task.BASE, SET, "main") as journal:  # as if of another set
            journal.evidence("base", {"repository": "main"})
        with pytest.raises(StorageFailed) as replaced:
            take_base(kit, log)
        shutil.rmtree(site.repository)
        with pytest.raises(StorageFailed) as lost:
            take_base(kit, log)
        assert not site.repository.exists()
    assert (replaced.value.key, lost.value.key) == ("repository.replaced", "repository.lost")


def test_the_command_tells_the_plan_and_leaves_the_server_as_it_is(site: Site) -> None:
    told = with_log(site).opsd("wal", "setup", SET, "--plan")
    out, _ = told.communicate(timeout=60)
    assert told.returncode == 0
    assert "CREATE ROLE" in out
    assert sql(site, "SELECT count(*) FROM pg_roles WHERE rolname = 'opsd_wal'") == [("0",)]
    status = site.opsd("wal", "status", SET)
    out, _ = status.communicate(timeout=60)
    assert status.returncode == 1, "what nobody watches is not good"
    assert "no answer yet" in out


def test_receivers_come_back_and_protection_is_given_up_only_as_agreed(site: Site) -> None:
    with guarded(with_log(site, "          fall_back_after: 10s\n")) as (kit, log, heard):
        main = f"{log.subject}@main"
        until(lambda: heard.cause(main) == "")
        held = heard.figure("opsd_wal_receiver_held_timestamp_seconds", receiver="one")
        assert held is not None
        assert timedelta() < timedelta(seconds=time.time() - held) < timedelta(seconds=10)

        # Killed: back within a second, and no commit is lost or stuck.
        before = set(receivers(site))
        assert len(before) == 2
        hit(site, signal.SIGKILL)
        sql(site, "CREATE TABLE one AS SELECT 1")
        until(lambda: len(set(receivers(site)) - before) == 2)
        until(lambda: heard.cause(log.subject) == "")
        assert not kit.store.exposures(SET)

        # Stopped: commits wait, then the server goes on without, as it was agreed.
        sql(site, "ALTER SYSTEM SET wal_sender_timeout = '1s'")
        sql(site, "SELECT pg_reload_conf()")
        hit(site, signal.SIGSTOP)
        stopped = time.time()
        sql(site, "CREATE TABLE two AS SELECT 1")
        until(lambda: heard.cause(log.subject) == "exposed")
        assert heard.results[log.subject].status is Status.CRITICAL
        (exposure,) = kit.store.exposures(SET)
        assert exposure.ended is None
        sql(site, "CREATE TABLE three AS SELECT 1")
        until(lambda: (heard.figure("opsd_wal_exposed_bytes") or 0) > 0)
        # What it says may be lost is never less than what a receiver lacks.
        held = heard.figure("opsd_wal_receiver_held_timestamp_seconds", receiver="one")
        assert held
        assert stopped - 10 < held <= stopped
        hit(site, signal.SIGCONT)
        until(lambda: heard.cause(log.subject) == "")
        (exposure,) = kit.store.exposures(SET)
        assert exposure.ended is not None
        assert [line.kind for line in kit.store.lines()] == ["exposure", "exposure_end"]

        # The server is started again: receivers find it, and it still waits for them.
        site.system.cluster.stop()
        until(lambda: heard.cause(log.subject) == "unreachable")
        assert heard.figure("opsd_wal_synchronous") is None
        site.system.cluster.start()
        until(lambda: heard.cause(log.subject) == "")
        sql(site, "CREATE TABLE four AS SELECT 1")
        until(lambda: heard.cause(main) == "")


def test_what_is_received_is_kept_and_what_is_wrong_with_it_is_told(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, heard):
        sql(site, "CREATE TABLE one AS SELECT generate_series(1, 1000)")
        for _ in range(3):
            sql(site, "INSERT INTO one SELECT generate_series(1, 1000)")
            sql(site, "SELECT pg_switch_wal()")
        until(lambda: len(finished(site)) >= 3)
        whole = finished(site)
        until(lambda: not any(name.startswith(whole[0] + ".") for name in objects(site)))
        until(lambda: heard.cause(f"{log.subject}@main") == "")
    # The server, its receivers and the daemon are gone; what follows is about what they left.
    one, two = log.directories["one"], log.directories["two"]
    alone = replace(log, kit=replace(log.kit, stop=type(log.kit.stop)()))
    kept = objects(site)

    # A piece that goes is a gap with a span; while a receiver has it, it is sent again.
    kept[whole[1]].unlink()
    shipper = shipped(alone)
    assert finished(site)[:3] == whole[:3]
    assert not shipper.shipped.gaps

    for directory in (one, two):
        (directory / whole[1]).rename(directory.parent / f"{directory.name}.aside")
    objects(site)[whole[1]].unlink()
    shipper = shipped(alone)
    (gap,) = shipper.shipped.gaps
    lost = Segment.of(whole[1])
    assert lost
    assert (gap.begin, gap.end) == (lost.start(), lost.start() + SEGMENT_BYTES)
    assert gap.since <= gap.until

    # A damaged file is refused with its name, and the other receiver's is taken.
    good = (two.parent / "two.aside").read_bytes()
    spoilt = bytearray(good)
    spoilt[good.index(b"\1") + 4000] ^= 1
    (one / whole[1]).write_bytes(bytes(spoilt[:5000] + b"\xff" * 8 + spoilt[5008:]))
    shipper = shipped(alone)
    assert [one / whole[1]] == [Path(text.partition(":")[0]) for text in shipper.shipped.refused]
    (two / whole[1]).write_bytes(good)
    shipper = shipped(alone)
    assert not shipper.shipped.gaps
    assert whole[1] in objects(site)

    # What every repository has may go from a receiver, but for the newest.
    keep_none = replace(alone, wal=alone.wal.model_copy(update={"keep": 0}))
    clear(keep_none, [shipper.held], 16 << 20)
    left = sorted(path.name for path in one.iterdir())
    assert whole[0] not in left
    assert whole[2] in left

    # Another server's log in a receiver's directory is foreign.
    foreign = bytearray(good)
    foreign[24:32] = b"another!"
    (one / whole[0]).write_bytes(bytes(foreign))
    objects(site)[whole[0]].unlink()
    shipper = shipped(alone)
    assert any(text.endswith("foreign") for text in shipper.shipped.refused)
    assert Segment.of(whole[0]) not in shipper.held.segments
    lost_keys_come_back(site, alone)


def shipped(log: Log) -> Shipper:
    """A shipper that knows nothing from before, after one turn."""
    shipper = Shipper(log, "main")
    shipper.turn({})
    return shipper


def lost_keys_come_back(site: Site, log: Log) -> None:
    """A second copy of the keys lies in the state."""
    key = site.repository / "opsd-objects" / "wal" / "key.json"
    before = key.read_bytes()
    key.unlink()
    shipped(log)
    assert key.read_bytes() == before
    # A new password of the repository takes the keys along by a command of its own.
    password, old = site.base / "password", site.base / "old"
    password.rename(old)
    password.write_text("another one\n")
    password.chmod(0o600)
    assert "password" in shipped(log).shipped.error
    told, _ = site.opsd("wal", "rekey", SET, "--old-password-file", str(old)).communicate(
        timeout=60
    )
    assert "under the new password" in told
    assert not shipped(log).shipped.error
