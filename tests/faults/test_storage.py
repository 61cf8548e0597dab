"""The repository's storage harmed behind opsd's back: the next run says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsd.errors import StorageFailed
from opsd.model import Outcome, Task
from opsd.tasks.backup import back_up
from opsd.tasks.doctor import examine
from tests.faults.telling import (
    Told,
    all_is_well,
    attempt,
    copy_tree,
    empty_repository,
    nothing_left,
)
from tests.site import Site, add_second_set

KINDS = ("data", "index", "keys", "snapshots")


def objects(site: Site, kind: str) -> list[Path]:
    """The objects of a kind, the largest first."""
    found = [p for p in (site.repository / kind).rglob("*") if p.is_file()]
    assert found, kind
    return sorted(found, key=lambda p: (-p.stat().st_size, p.name))


def flip(path: Path, at: int) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def flip_in(kind: str, at: int = 40) -> Callable[[Site], None]:
    return lambda site: flip(objects(site, kind)[0], at)


def flip_config(site: Site) -> None:
    flip(site.repository / "config", 40)


def flip_smallest_pack(site: Site) -> None:
    flip(objects(site, "data")[-1], 20)


def flip_every_snapshot(site: Site) -> None:
    for path in objects(site, "snapshots"):
        flip(path, 40)


def remove(kind: str) -> Callable[[Site], None]:
    return lambda site: objects(site, kind)[0].unlink()


def remove_all(kind: str) -> Callable[[Site], None]:
    def apply(site: Site) -> None:
        for path in objects(site, kind):
            path.unlink()

    return apply


def cut(kind: str, keep: Callable[[int], int]) -> Callable[[Site], None]:
    def apply(site: Site) -> None:
        path = objects(site, kind)[0]
        path.chmod(0o600)
        content = path.read_bytes()
        path.write_bytes(content[: keep(len(content))])

    return apply


def swap_packs(site: Site) -> None:
    one, two = objects(site, "data")[:2]
    one.chmod(0o600)
    one.write_bytes(two.read_bytes())


def remove_newest_snapshot(site: Site) -> None:
    max(objects(site, "snapshots"), key=lambda p: p.stat().st_mtime_ns).unlink()


def remove_oldest_snapshot(site: Site) -> None:
    min(objects(site, "snapshots"), key=lambda p: p.stat().st_mtime_ns).unlink()


def forget_config(site: Site) -> None:
    (site.repository / "config").unlink()


def lose_repository(site: Site) -> None:
    shutil.rmtree(site.repository)


def empty_repository_directory(site: Site) -> None:
    shutil.rmtree(site.repository)
    site.repository.mkdir()


def put_another_in_its_place(site: Site) -> None:
    shutil.rmtree(site.repository)
    empty_repository(site.repository)


def remove_password(site: Site) -> None:
    (site.base / "password").unlink()


def write_another_password(site: Site) -> None:
    (site.base / "password").write_text("another one\n")


@dataclass(frozen=True)
class Damage:
    """A row: what is done to a proved repository, what is tried next, and what must be told."""

    name: str
    apply: Callable[[Site], None]
    then: Task = Task.PROVE
    outcome: Outcome = Outcome.FAILED
    reason: str = "integrity"
    key: str = "repository.damaged"


PROVE, BACKUP = Task.PROVE, Task.BACKUP
BLIND = Outcome.COULD_NOT_VERIFY

DAMAGES = [
    Damage("a flipped byte in the largest pack", flip_in("data"), key="repository.objects_damaged"),
    Damage(
        "a flipped byte in the smallest pack", flip_smallest_pack, key="repository.objects_damaged"
    ),
    Damage(
        "a flipped byte in a pack's header", flip_in("data", -3), key="repository.objects_damaged"
    ),
    Damage("a missing pack", remove("data")),
    Damage("all packs missing", remove_all("data")),
    Damage("a pack cut in half", cut("data", lambda n: n // 2)),
    Damage("a pack without its last byte", cut("data", lambda n: n - 1)),
    Damage("an empty pack", cut("data", lambda _: 0)),
    Damage("a pack with another's content", swap_packs),
    Damage("a flipped byte in an index", flip_in("index")),
    Damage("an index cut in half", cut("index", lambda n: n // 2)),
    Damage("a missing index", remove("index")),
    Damage("all indexes missing", remove_all("index")),
    Damage("a flipped byte in a snapshot file", flip_in("snapshots")),
    Damage("a flipped byte in every snapshot file", flip_every_snapshot),
    Damage("a snapshot file cut in half", cut("snapshots", lambda n: n // 2)),
    Damage(
        "the newest snapshot file deleted", remove_newest_snapshot, key="repository.snapshots_gone"
    ),
    Damage(
        "the oldest snapshot file deleted", remove_oldest_snapshot, key="repository.snapshots_gone"
    ),
    Damage("all snapshot files deleted", remove_all("snapshots"), key="repository.snapshots_gone"),
    Damage("a flipped byte in the config file", flip_config),
    Damage("a flipped byte in the config file, met by a backup", flip_config, then=BACKUP),
    Damage("a flipped byte in the key file", flip_in("keys", 300)),
    Damage("a flipped byte in the key file, met by a backup", flip_in("keys", 300), then=BACKUP),
    Damage(
        "the config file deleted",
        forget_config,
        then=BACKUP,
        reason="storage",
        key="repository.lost",
    ),
    Damage(
        "the config file deleted, met by a proof",
        forget_config,
        outcome=BLIND,
        reason="missing",
        key="repository.missing",
    ),
    Damage(
        "the only key deleted",
        remove_all("keys"),
        then=BACKUP,
        reason="password",
        key="repository.wrong_password",
    ),
    Damage(
        "the repository's directory gone",
        lose_repository,
        then=BACKUP,
        reason="storage",
        key="repository.lost",
    ),
    Damage(
        "an empty directory where the repository was",
        empty_repository_directory,
        then=BACKUP,
        reason="storage",
        key="repository.lost",
    ),
    Damage(
        "another, empty repository in its place",
        put_another_in_its_place,
        then=BACKUP,
        reason="storage",
        key="repository.replaced",
    ),
    Damage(
        "all snapshot files deleted, met by a backup",
        remove_all("snapshots"),
        then=BACKUP,
        reason="storage",
        key="repository.replaced",
    ),
    Damage(
        "the repository's directory gone, met by a proof",
        lose_repository,
        outcome=BLIND,
        reason="missing",
        key="repository.missing",
    ),
    Damage(
        "a wrong password",
        write_another_password,
        then=BACKUP,
        reason="password",
        key="repository.wrong_password",
    ),
    Damage(
        "a wrong password, met by a proof",
        write_another_password,
        outcome=BLIND,
        reason="password",
        key="repository.wrong_password",
    ),
    Damage(
        "the password's file gone: nothing is damaged",
        remove_password,
        outcome=BLIND,
        reason="password",
        key="repository.password_unreadable",
    ),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_is_never_taken_for_a_success(damage: Damage, ward: Site) -> None:
    copy_tree(ward.repository, ward.base / "sound")
    copy_tree(ward.base / "password", ward.base / "right")
    damage.apply(ward)
    told = attempt(ward, damage.then)
    assert (told.outcome, told.closing.reason) == (damage.outcome, damage.reason), told.text
    assert damage.key in told.keys, told.text
    nothing_left(ward)
    shutil.rmtree(ward.repository, ignore_errors=True)
    (ward.base / "sound").rename(ward.repository)
    (ward.base / "right").rename(ward.base / "password")
    healed(attempt(ward, BACKUP))


def healed(told: Told) -> None:
    assert told.outcome.good, told.text


def test_a_mended_repository_is_proved_again(ward: Site) -> None:
    pack = objects(ward, "data")[0]
    flip(pack, 40)
    assert not attempt(ward, PROVE).outcome.good
    flip(pack, 40)
    all_is_well(ward)


@pytest.mark.parametrize(
    ("lose", "key"),
    [
        (lose_repository, "repository.lost"),
        (empty_repository_directory, "repository.lost"),
        (put_another_in_its_place, "repository.replaced"),
    ],
)
def test_a_new_set_does_not_begin_anew_where_the_points_of_another_were(
    lose: Callable[[Site], None], key: str, ward: Site
) -> None:
    """Its disk is not mounted: what is made there would pass for the repository ever after."""
    add_second_set(ward)
    copy_tree(ward.repository, ward.base / "sound")
    lose(ward)
    with ward.kit() as kit:
        with pytest.raises(StorageFailed) as refused:
            back_up(kit, "second")
        assert (refused.value.key, refused.value.fields["points"]) == (key, 2)
    assert key in attempt(ward, BACKUP).keys
    assert not (ward.repository / "snapshots").exists() or not list(
        (ward.repository / "snapshots").iterdir()
    )
    shutil.rmtree(ward.repository, ignore_errors=True)
    (ward.base / "sound").rename(ward.repository)
    with ward.kit() as kit:
        assert back_up(kit, "second").closing.outcome.good
    healed(attempt(ward, BACKUP))


def test_a_lost_snapshot_is_told_by_the_next_backup_which_is_taken_all_the_same(
    ward: Site,
) -> None:
    remove_newest_snapshot(ward)
    told = attempt(ward, BACKUP)
    assert told.outcome.good, "new data are not left without a copy"
    assert "repository.snapshots_gone" in told.keys
    assert "repository.snapshots_gone" in attempt(ward, PROVE).keys


def test_the_doctor_names_a_repository_that_lacks_what_was_written(ward: Site) -> None:
    put_another_in_its_place(ward)
    with ward.kit() as kit:
        assert "repository.snapshots_gone" in {found.key for found in examine(kit)}
