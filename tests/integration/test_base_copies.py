"""Base copies in a repository: what they share, what becomes of damage, and one read by hand."""

from __future__ import annotations

import errno
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers import cluster
from opsd.drivers.storage import LocalStorage
from opsd.errors import OpsdError, RepositoryDamaged, StorageFailed
from opsd.model import Closing, Outcome
from opsd.tasks.kit import Kit
from opsd.tasks.wal import fetching, planning
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.copies import Copies, open_copies
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from opsd.tasks.wal.rereading import NIGHTS, reread
from tests.copies import ALONE, BULK, packs, rows, taken
from tests.logs import Heard, finished, guarded, held_until_now, spoil, sql, with_far, with_log
from tests.site import ROOT, Site


def keys(closing: Closing) -> Collection[str]:
    """What was noticed."""
    return {finding.key for finding in closing.findings}


def largest_pack(site: Site, kit: Kit, log: Log, heard: Heard) -> tuple[str, Path]:
    """One of a copy of much, whose log is there: its name, and where it lies."""
    sql(site, BULK)
    taken(kit, log)
    held_until_now(heard)
    return max(packs(site).items(), key=lambda one: one[1].stat().st_size)


def test_a_copy_adds_what_changed_and_reads_as_one(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        first = taken(kit, log)
        sql(site, "UPDATE bulk SET t = 'x' WHERE n = 1")
        second = taken(kit, log)
        assert second < first / 4
        older, newer = bases(log, "main")
        assert (older.parent, newer.parent) == ("", older.id)
        assert newer.whole == older.whole == older.until
        assert newer.bytes > older.bytes / 2
        held_until_now(heard)
        assert replay(kit, log).outcome is Outcome.PASSED
        assert rows(log, site.base / "back") == 40000

        # What an earlier copy was the first to have stays while a later one needs it.
        copies = open_copies(log, "main")
        copies.drop([older.id])
        shared = copies.map(newer.id).packs
        assert any(name.startswith(older.id) for name in shared)
        taken(kit, log)
        held_until_now(heard)
        assert shared <= set(packs(site))
        assert rows(log, site.base / "again") == 40000


def test_packs_that_no_copy_needs_go_when_no_copy_can_still_be_made_of_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        put, left = LocalStorage.put, [2]

        def fails(self: LocalStorage, name: str, content: bytes) -> None:
            if "packs/" in name:
                left[0] -= 1
                if not left[0]:
                    raise StorageFailed("storage.put_failed", path=name, detail="cut")
            put(self, name, content)

        with monkeypatch.context() as failing:
            failing.setattr(LocalStorage, "put", fails)
            with pytest.raises(OpsdError):
                take_base(kit, log)
            assert not packs(site), "what came to nothing leaves nothing"
            left[0] = 2
            failing.setattr(Copies, "discard", lambda *_: None)  # as who is killed
            with pytest.raises(OpsdError):
                take_base(kit, log)
        assert not bases(log, "main")
        stray = set(packs(site))
        assert stray
        taken(kit, log)
        assert stray <= set(packs(site)), "another machine might be at it"
        copies = open_copies(log, "main")
        needed = copies.map(bases(log, "main")[-1].id).packs
        assert copies.sweep(kit.clock() + timedelta(minutes=1)) == len(stray)
        assert set(packs(site)) == needed
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000


def test_a_damaged_pack_is_found_and_no_later_copy_shares_it(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        name, path = largest_pack(site, kit, log, heard)
        spoil(path)
        closing = replay(kit, log)
        assert closing.outcome is Outcome.FAILED
        assert "replay.damaged" in keys(closing)
        told = kit.last_told(log.backup_set, "reread", repository="main")
        assert told
        assert told["damaged_packs"] == [name]
        with pytest.raises(RepositoryDamaged, match=name):
            rows(log, site.base / "harmed")
        taken(kit, log)
        newest = bases(log, "main")[-1]
        assert newest.parent == ""
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000
        assert replay(kit, log).outcome is Outcome.FAILED, "the old pack is damaged still"


def test_a_pack_that_is_gone_is_found_and_no_later_copy_shares_it(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        name, path = largest_pack(site, kit, log, heard)
        path.unlink()
        with pytest.raises(RepositoryDamaged, match=name):
            rows(log, site.base / "harmed")
        taken(kit, log)
        assert bases(log, "main")[-1].parent == ""
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000
        closing = replay(kit, log)
        assert closing.outcome is Outcome.FAILED
        told = kit.last_told(log.backup_set, "reread", repository="main")
        assert told
        assert told["damaged_packs"] in ([], [name])
        held = planning.plan(log, Goal("now"), site.base / "x", ALONE).stock
        assert reread(log, held, "main", range(NIGHTS)).damaged_packs == [name]


def test_a_copy_that_cannot_be_read_keeps_its_log_and_all_copies(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        taken(kit, log)
        (first,) = bases(log, "main")
        held_until_now(heard)
        sql(site, "SELECT pg_switch_wal()")
        held_until_now(heard)
        head = site.repository / "opsd-objects" / "base" / log.subject / first.id
        good = head.read_bytes()
        spoil(head)
        log_there = set(finished(site))
        closing = take_base(kit, log)
        assert closing.outcome is Outcome.SUCCEEDED
        assert keys(closing) == {"base.heads_unread"}
        assert log_there <= set(finished(site))
        head.write_bytes(good)
        assert len(bases(log, "main")) == 2
        held_until_now(heard)
        ways = replace(ALONE, base=first.id)
        assert rows(log, site.base / "back", ways) == 40000


def test_what_the_disk_does_not_give_is_told_and_no_traceback(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        taken(kit, log)
        held_until_now(heard)
        get = LocalStorage.get

        def fails(self: LocalStorage, name: str) -> bytes:
            if name.startswith("packs/") or name.endswith(".map"):
                raise OSError(errno.EIO, "Input/output error")
            return get(self, name)

        with monkeypatch.context() as failing:
            failing.setattr(LocalStorage, "get", fails)
            with pytest.raises(RepositoryDamaged, match="Input/output"):
                rows(log, site.base / "harmed")
            closing = take_base(kit, log)
        assert closing.outcome is Outcome.SUCCEEDED
        assert keys(closing) == {"base.unread"}


def test_a_copy_whose_parent_cannot_be_read_shares_nothing_and_says_so(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        taken(kit, log)
        (first,) = bases(log, "main")
        below = site.repository / "opsd-objects" / "base" / log.subject
        spoil(below / f"{first.id}.map")
        closing = take_base(kit, log)
        assert closing.outcome is Outcome.SUCCEEDED
        assert keys(closing) == {"seal.broken"}
        assert bases(log, "main")[-1].parent == ""
        assert all(name in packs(site) for name in open_copies(log, "main").packs())
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000
        # One that cannot be read is no copy, and hides no other.
        spoil(below / first.id)
        assert len(bases(log, "main")) == 1


def test_each_repository_has_all_of_it(site: Site) -> None:
    with guarded(with_far(site)) as (kit, log, heard):
        sql(site, BULK)
        taken(kit, log)
        sql(site, "UPDATE bulk SET t = 'y' WHERE n < 9")
        taken(kit, log)
        assert [one.id for one in bases(log, "main")] == [one.id for one in bases(log, "far")]
        held_until_now(heard)
        for repository in ("main", "far"):
            ways = Ways(here=False, only=repository, throwaway=True)
            assert rows(log, site.base / repository[0], ways) == 40000
        # Where one lost the newest, the one before is shared with.
        first = bases(log, "far")[0]
        open_copies(log, "far").drop([bases(log, "far")[-1].id])
        taken(kit, log)
        assert bases(log, "far")[-1].parent == bases(log, "main")[-1].parent == first.id
        held_until_now(heard)
        assert rows(log, site.base / "after", Ways(here=False, only="far", throwaway=True)) == 40000


def test_the_commands_of_the_document_read_a_copy_without_opsd(site: Site, tmp_path: Path) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        taken(kit, log)
        sql(site, "DELETE FROM bulk WHERE n % 7 = 0")
        taken(kit, log)
        held_until_now(heard)
        planned = planning.plan(log, Goal("now"), tmp_path / "ours", ALONE)
        (tmp_path / "ours").mkdir()
        fetching.fetch(kit, planned, proof=True)
    page = (ROOT / "docs" / "repository-format.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    script = "\n".join(one for one in blocks if "unwal()" in one or "unbase()" in one)
    objects = site.repository / "opsd-objects"
    argv = (str(site.base / "password"), str(objects), log.subject, planned.base.id, "by-hand")
    command = ["sh", "-c", f'{script}\nunbase "$@"', "sh", *argv]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    mine = tmp_path / "by-hand" / DATA
    verify = cluster.binaries(cluster.newest()) / "pg_verifybackup"
    subprocess.run([verify, "-n", mine], check=True, stdout=subprocess.DEVNULL)
    ours = tmp_path / "ours" / DATA
    assert contents(mine) == contents(ours)


def contents(data: Path) -> Mapping[str, bytes]:
    """All files of a cluster."""
    found = (path for path in data.rglob("*") if path.is_file())
    return {str(path.relative_to(data)): path.read_bytes() for path in found}
