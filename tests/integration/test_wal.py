"""The log of a real server: received, guarded, kept; its faults seen, named and recovered from."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from opsd.drivers.cluster import SERVER_ACCOUNT, binaries
from opsd.drivers.process import Command, run
from opsd.errors import DatabaseFailed, Refused
from opsd.model import Outcome, Status
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.bases import bases, needs, take_base
from opsd.tasks.wal.copies import open_copies
from opsd.tasks.wal.guard import Guard
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.shipping import Shipper, clear
from opsd.tasks.wal.stock import stock
from opsd.tasks.wal.telling import results
from opsd.wal import SEGMENT_BYTES, Segment, written
from tests.logs import (
    alone,
    finished,
    guarded,
    held_until_now,
    objects,
    sql,
    until,
    with_log,
)
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
        assert not again.changes
        assert "wal.no_way_in" not in {advice.key for advice in again.advice}
        sql(site, "ALTER ROLE opsd_wal CREATEDB")
        sql(site, "ALTER DATABASE dossiers SET synchronous_commit = off")
        keys = {advice.key for advice in setting_up.plan(log).advice}
        assert {"wal.role_may_more", "wal.stray_commit"} <= keys


def test_a_server_that_waits_for_what_no_receiver_does_is_refused(site: Site) -> None:
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        for who, told in (
            ("SYSTEM", ""),
            ("ROLE opsd", "ROLE opsd"),
            ("DATABASE dossiers", "DATABASE dossiers"),
        ):
            sql(site, f"ALTER {who} SET synchronous_commit = 'Remote_Apply'")
            sql(site, "SELECT pg_reload_conf()")
            with pytest.raises(Refused, match="remote_apply") as refused:
                setting_up.plan(log)
            assert refused.value.detail == told
            sql(site, f"ALTER {who} RESET synchronous_commit")
            sql(site, "SELECT pg_reload_conf()")
        assert setting_up.plan(log).changes


def test_a_server_without_page_checksums_is_told(site: Site) -> None:
    server = site.system.cluster
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        assert "wal.no_checksums" not in {advice.key for advice in setting_up.plan(log).advice}
        server.stop()
        disable = str(binaries(server.major) / "pg_checksums")
        argv = (disable, "--disable", "-D", str(server.data))
        done = run(Command(argv, timedelta(minutes=1), user=SERVER_ACCOUNT))
        assert done.exit_code == 0, done.complaint
        server.start()
        planned = setting_up.plan(log)
        assert "wal.no_checksums" in {advice.key for advice in planned.advice}
        setting_up.carry_out(planned)
        closing = take_base(kit, log)
        assert closing.outcome is Outcome.SUCCEEDED
        assert "wal.no_checksums" in {finding.key for finding in closing.findings}


def test_who_may_not_see_receivers_takes_no_protection_away(site: Site) -> None:
    sql(site, "CREATE ROLE opsd_backup LOGIN")
    sql(site, "GRANT pg_monitor TO opsd_backup")
    sql(site, "GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO opsd_backup")
    with guarded(with_log(site)) as (_, log, heard):
        agreed = log.wal.model_copy(update={"fall_back_after": timedelta(seconds=2)})
        connection = log.member.connection.replace("user=opsd ", "user=opsd_backup ")
        member = log.member.model_copy(update={"connection": connection, "wal": agreed})
        other = Guard(replace(log, member=member, wal=agreed), dict, dict, lambda _: None)
        assert other.turn().seen
        sql(site, "REVOKE pg_monitor FROM opsd_backup")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            look = other.turn()
            assert look.seen
            assert look.exposure is None
            assert look.seen.names
        other.close()
        told = {one.subject: one.cause for one in results(log, look)}
        assert [told[f"{log.subject}/{name}"] for name in ("one", "two")] == ["unseen"] * 2
        assert heard.cause(log.subject) == ""


def test_a_page_that_the_living_server_has_damaged_is_told_and_no_copy_taken(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, _):
        sql(site, "CREATE TABLE rows AS SELECT generate_series(1, 5000) AS number")
        sql(site, "CHECKPOINT")
        ((file,),) = sql(site, "SELECT pg_relation_filepath('rows')")
        with (site.system.cluster.data / file).open("r+b") as stream:
            stream.seek(3 * 8192 + 4000)
            stream.write(b"damaged")
        with pytest.raises(DatabaseFailed) as told:
            take_base(kit, log)
        assert told.value.key == "base.page_damaged"
        assert told.value.fields["count"] == 1
        assert f'"./{file}", block 3' in told.value.detail
        number = file.rpartition("/")[2]
        assert sql(site, f"SELECT pg_filenode_relation(0, {number})") == [("rows",)]


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


@pytest.mark.parametrize("own", ["RESET synchronous_commit", "SET synchronous_commit = on"])
def test_durability_is_not_weakened_in_silence(site: Site, own: str) -> None:
    changed(site, f"ROLE opsd {own}")
    with guarded(with_log(site)) as (_, log, heard):
        for weaken, mend, told in (
            (
                "SYSTEM SET synchronous_commit = remote_apply",
                "SYSTEM RESET synchronous_commit",
                "remote_apply",
            ),
            ("SYSTEM SET fsync = off", "SYSTEM RESET fsync", "fsync = off"),
            ("SYSTEM SET full_page_writes = off", "SYSTEM RESET full_page_writes", "full_page"),
            (
                "ROLE opsd_wal SET synchronous_commit = 'OFF'",
                "ROLE opsd_wal RESET synchronous_commit",
                "ROLE opsd_wal: synchronous_commit = OFF",
            ),
            (
                "DATABASE dossiers SET synchronous_commit = remote_write",
                "DATABASE dossiers RESET synchronous_commit",
                "DATABASE dossiers: synchronous_commit = remote_write",
            ),
        ):
            changed(site, weaken)
            until(lambda: heard.cause(log.subject) == "weakened", 15)
            result = heard.results[log.subject]
            assert result.status is Status.CRITICAL
            assert told in str(result.fields["settings"]), weaken
            changed(site, mend)
            until(lambda: heard.cause(log.subject) == "", 15)


def changed(site: Site, what: str) -> None:
    """Alter something, waiting for nobody."""
    with psycopg.connect(site.system.connection, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute(f"ALTER {what}")
        connection.execute("SELECT pg_reload_conf()")


def test_what_is_received_is_kept_and_what_is_wrong_with_it_is_told(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, heard):
        sql(site, "CREATE TABLE one AS SELECT generate_series(1, 1000)")
        for _ in range(3):
            sql(site, "INSERT INTO one SELECT generate_series(1, 1000)")
            sql(site, "SELECT pg_switch_wal()")
        until(lambda: len(finished(site)) >= 3)
        whole = finished(site)
        until(lambda: not any(name.startswith(whole[0] + ".") for name in objects(site)))
        until(lambda: heard.cause(f"{log.subject}@main") == "no_base")
    # The server, its receivers and the daemon are gone; what follows is about what they left.
    one, two = log.directories["one"], log.directories["two"]
    log = alone(site)
    kept = objects(site)

    # A piece that goes is a gap with a span; while a receiver has it, it is sent again.
    kept[whole[1]].unlink()
    shipper = shipped(log)
    assert finished(site)[:3] == whole[:3]
    assert not shipper.shipped.gaps

    for directory in (one, two):
        (directory / whole[1]).rename(directory.parent / f"{directory.name}.aside")
    objects(site)[whole[1]].unlink()
    shipper = shipped(log)
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
    shipper = shipped(log)
    assert [one / whole[1]] == [Path(text.partition(":")[0]) for text in shipper.shipped.refused]
    (two / whole[1]).write_bytes(good)
    shipper = shipped(log)
    assert not shipper.shipped.gaps
    assert whole[1] in objects(site)

    # What every repository has may go from a receiver, but for the newest.
    keep_none = replace(log, wal=log.wal.model_copy(update={"keep": 0}))
    clear(keep_none, [shipper.held], shipper.shipped.system, 16 << 20)
    left = sorted(path.name for path in one.iterdir())
    assert whole[0] not in left
    assert whole[2] in left

    # Another server's log in a receiver's directory is foreign.
    foreign = bytearray(good)
    foreign[24:32] = b"another!"
    (one / whole[0]).write_bytes(bytes(foreign))
    clear(keep_none, [shipper.held], shipper.shipped.system, 16 << 20)
    assert (one / whole[0]).read_bytes() == foreign, "which nobody else may have"
    objects(site)[whole[0]].unlink()
    shipper = shipped(log)
    assert any(text.endswith("foreign") for text in shipper.shipped.refused)
    assert Segment.of(whole[0]) not in shipper.held.segments
    a_lost_history_is_told_and_comes_back(site, log, whole[2])
    a_new_password_takes_the_keys_along(site, log)


def test_a_backlog_is_told_while_it_is_worked_off_and_is_no_gap(site: Site) -> None:
    with guarded(with_log(site)) as (_, log, _):
        for _ in range(11):
            sql(site, "SELECT pg_logical_emit_message(true, 'one', 'two'), pg_switch_wal()")
        until(lambda: len(finished(site)) >= 11)
    log = alone(site)
    names = finished(site)
    later = [segment.start() for name in names[1:] if (segment := Segment.of(name))]
    forget(site, names[1:-1])
    shipper, ends = Shipper(log, "main"), []
    more = True
    while more:
        more = shipper.turn({})
        assert not shipper.shipped.gaps
        ends.append(shipper.shipped.end)
    assert finished(site) == names
    steps = [after - before for before, after in zip([later[0], *ends], ends, strict=False)]
    assert all(0 < step <= 4 * SEGMENT_BYTES for step in steps[:-1]), steps
    assert len(steps) > 2

    # What is refused keeps nothing else from being brought.
    forget(site, names[1:])
    for directory in log.directories.values():
        for name in names[1:6]:
            (directory / name).write_bytes(b"torn")
    shipper = Shipper(log, "main")
    until(lambda: (shipper.turn({}), finished(site))[1] == [names[0], *names[6:]], 20)
    assert [(gap.begin, gap.end) for gap in shipper.shipped.gaps] == [(later[0], later[5])]
    assert shipper.shipped.end == later[0]


def forget(site: Site, names: list[str]) -> None:
    """The repository has these segments no more."""
    for name in names:
        objects(site)[name].unlink()


@pytest.mark.usefixtures("listed_often")
def test_a_gap_is_of_the_oldest_base_copy_and_what_may_be_lost_of_the_newest(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        main, held = f"{log.subject}@main", "opsd_wal_repository_held_timestamp_seconds"
        # Without a base copy nothing can be recovered, however much of the log is there.
        until(lambda: heard.figure("opsd_wal_repository_lag_bytes") is not None)
        assert (heard.cause(main), heard.figure(held)) == ("no_base", None)
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        (base,) = bases(log, "main")
        (need,) = needs(log, "main", base.system)
        assert (need.start, need.stop) == (base.start, base.stop)
        sql(site, "CREATE TABLE one AS SELECT generate_series(1, 1000)")
        ((lost,),) = sql(site, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        lost_at = time.time()
        sql(site, "SELECT pg_switch_wal()")
        held_until_now(heard)
        until(lambda: lost in finished(site))
        assert heard.cause(main) == ""

        # Nothing leads over the gap: what came behind it would be lost, however new it is.
        vanish(site, log, lost)
        until(lambda: heard.cause(main) == "gap")
        claimed = heard.figure(held)
        assert claimed is None or claimed <= lost_at

        # With a base copy behind it everything newer can be recovered; older moments still lack it.
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        assert heard.cause(main) == "gap"

        # The segment in which the oldest base copy begins is the first that is needed.
        first = Segment(need.timeline, need.start // SEGMENT_BYTES)
        assert first.name() < lost
        vanish(site, log, first.name())
        until(lambda: heard.results[main].fields.get("begin") == written(first.start()))
        held_until_now(heard)

        # Once another machine gave that base copy up, nothing needs what is missing.
        assert shipped(log).shipped.gaps
        open_copies(log, "main").drop([base.id])
        assert shipped(log).shipped.gaps == ()


def vanish(site: Site, log: Log, name: str) -> None:
    """Nobody has this segment any more."""
    for directory in log.directories.values():
        (directory / name).unlink()
    objects(site)[name].unlink()


def a_lost_history_is_told_and_comes_back(site: Site, log: Log, of: str) -> None:
    """Without it nothing leads to the newer timeline."""
    one, history = log.directories["one"], "00000002.history"
    last = one / f"00000002{of[8:]}"
    last.write_bytes((one / of).read_bytes())
    assert history in shipped(log).shipped.error
    assert shipped(log).shipped.end == 0
    begin = Segment.of(of)
    assert begin
    good = f"1\t{written(begin.start() + 1000)}\tno recovery target\n"
    # A damaged one, that leads round and round, is none, and takes no good one's place.
    (log.directories["two"] / history).write_text(good.replace("1", "2", 1))
    assert history in shipped(log).shipped.error
    (one / history).write_text(good)
    shipper = shipped(log)
    stock(log, "", SEGMENT_BYTES, {}).fetch((), site.base)
    assert (site.base / history).read_text() == good
    assert not shipper.shipped.error
    assert shipper.shipped.end == begin.start() + SEGMENT_BYTES
    # One that vanishes is sent again, also by who remembers to have sent it.
    system = next(p.parent.name for n, p in objects(site).items() if n == history)
    archive = open_archive(log, "main", system, SEGMENT_BYTES)
    archive.keys.insist()
    assert archive.holdings().switches
    objects(site)[history].unlink()
    assert not archive.holdings().switches
    archive.keep_history(history, (one / history).read_text())
    assert history in objects(site)
    last.unlink()
    objects(site)[last.name].unlink()


def shipped(log: Log) -> Shipper:
    """A shipper that knows nothing from before, after one turn."""
    shipper = Shipper(log, "main")
    shipper.turn({})
    return shipper


def a_new_password_takes_the_keys_along(site: Site, log: Log) -> None:
    """A new password of the repository takes the keys along by a command of its own."""
    password, old = site.base / "password", site.base / "old"
    password.rename(old)
    password.write_text("another one\n")
    password.chmod(0o600)
    assert "password" in shipped(log).shipped.error
    other = site.base / "keys-of-nothing"
    other.write_text("a third one\n")
    # What neither opens is told; what is under the new one already stays.
    for given, code in ((other, 1), (old, 0), (other, 0)):
        asked = site.opsd("wal", "rekey", SET, "--old-password-file", str(given))
        told, said = asked.communicate(timeout=60)
        assert asked.returncode == code, told + said
        assert ("under the password" in told) == (code == 0)
        assert ("main: neither" in said) == (code == 1)
    assert not shipped(log).shipped.error
