"""A base copy on its way: what is wrong with server, link or repository, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import md5
from pathlib import Path

import pytest

from opsd.drivers import system
from opsd.drivers.storage import LocalStorage
from opsd.errors import DatabaseFailed, RepositoryMissing, SpaceExhausted, StorageFailed
from opsd.model import Task
from opsd.tasks.kit import Kit
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.planning import Ways
from tests.copies import BULK, packs, rows, taken
from tests.logs import guarded, held_until_now, sql, with_far, with_log
from tests.roads import Road
from tests.site import Site


def altered(piece: bytes) -> bytes:
    """A row of `BULK` is another one."""
    return piece.replace(md5(b"777", usedforsecurity=False).hexdigest().encode(), b"f" * 32)


def cut(piece: bytes) -> bytes:
    """The connection ends where that row comes, in however small a piece."""
    return piece if altered(piece) == piece else b""


def full(path: Path, space: Callable[[Path], system.Space] = system.space) -> system.Space:
    """The disk of one repository has no room, as far as anybody sees."""
    return replace(space(path), free=0) if path.name == "far" else space(path)


@pytest.mark.parametrize(
    ("alter", "key"), [(altered, "base.not_as_told"), (cut, "database.unreachable")]
)
def test_what_does_not_come_as_the_server_sent_it_is_no_copy(
    site: Site, alter: Callable[[bytes], bytes], key: str
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        server = site.system.cluster.directory
        road = Road(site.base / "road", server, alter)
        way = log.member.connection.replace(str(server), str(site.base / "road"))
        member = log.member.model_copy(update={"connection": way})
        with closing(road), pytest.raises(DatabaseFailed) as told:
            take_base(kit, replace(log, member=member))
        assert told.value.key == key
        assert not bases(log, "main")
        taken(kit, log)
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000


def test_each_repository_that_fails_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded(with_far(site)) as (kit, log, _):

        def fails(self: LocalStorage, name: str, _: bytes) -> None:
            raise StorageFailed("storage.put_failed", path=self.root.name, detail=name)

        with monkeypatch.context() as failing:
            failing.setattr(LocalStorage, "put", fails)
            with pytest.raises(StorageFailed):
                take_base(kit, log)
        _, closing = kit.store.runs(Task.BASE, log.backup_set)[0]
        assert closing
        told = {str(finding.fields["path"]) for finding in closing.findings}
        assert told == {"repository", "far"}


@pytest.mark.parametrize("name", ["INCREMENTAL.notes", "INCREMENTAL.1259"])
def test_a_file_of_somebody_is_no_change_of_another(site: Site, name: str) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, BULK)
        (site.system.cluster.data / name).write_text("nothing that changed")
        for _ in range(2):
            taken(kit, log)
        held_until_now(heard)
        assert rows(log, site.base / "back") == 40000
        assert (site.base / "back" / DATA / name).read_text() == "nothing that changed"


@pytest.mark.parametrize("where", ["packs/", "base/", "no room", "at all"])
def test_a_repository_that_fails_keeps_no_other_from_a_copy(
    site: Site, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    with guarded(with_far(site)) as (kit, log, heard):
        sql(site, BULK)
        put, reach = LocalStorage.put, Kit.reach

        def fails(self: LocalStorage, name: str, content: bytes) -> None:
            if where in name and self.root.name == "far":
                raise StorageFailed("storage.put_failed", path=name, detail="cut")
            put(self, name, content)

        def silent(self: Kit, repository: str) -> None:
            if repository == "far":
                raise StorageFailed("storage.put_failed", path="far", detail="cut")
            reach(self, repository)

        with monkeypatch.context() as failing:
            if where == "at all":
                failing.setattr(Kit, "reach", silent)
            elif where == "no room":
                failing.setattr(system, "space", full)
            else:
                failing.setattr(LocalStorage, "put", fails)
            with pytest.raises(StorageFailed):
                take_base(kit, log)
        assert len(bases(log, "main")) == 1
        with suppress(RepositoryMissing):  # it was not even made
            assert not bases(log, "far")
        assert not packs(site, "far")
        held_until_now(heard)
        ways = Ways(here=False, only="main", throwaway=True)
        assert rows(log, site.base / "back", ways) == 40000
        taken(kit, log)
        assert bases(log, "main")[-1].parent == "", "the other has nothing to share with"
        held_until_now(heard)
        ways = Ways(here=False, only="far", throwaway=True)
        assert rows(log, site.base / "far-back", ways) == 40000


def test_what_is_too_old_goes_where_there_is_no_room_for_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_far(site)) as (kit, log, _):
        for _ in range(2):
            taken(kit, log)
        monkeypatch.setattr(system, "space", full)
        short = log.wal.model_copy(update={"window": timedelta()})
        with pytest.raises(SpaceExhausted):
            take_base(kit, replace(log, wal=short))
        assert len(bases(log, "far")) == 1
        assert bases(log, "main")[-1].parent == bases(log, "far")[0].id
