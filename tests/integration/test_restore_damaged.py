"""A record that cannot be read keeps nobody from what is sound: said in full, never a success."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsd.drivers.process import Command, run
from opsd.model import Outcome, RecoveryPoint, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit
from opsd.tasks.prove import prove
from opsd.tasks.rebuild import rebuild
from opsd.tasks.restore import carry_out, plan, recorded
from opsd.tasks.restoring.terms import Door, Request
from tests.site import SET, Site, add_second_set


def _point(kit: Kit, name: str = SET) -> RecoveryPoint:
    point = back_up(kit, name).point
    assert point is not None
    return point


def _packs(site: Site) -> set[Path]:
    return {path for path in (site.repository / "data").rglob("*") if path.is_file()}


def _of_record(site: Site, kit: Kit, point: RecoveryPoint) -> set[Path]:
    """The packs that hold the record of a point and nothing else."""
    told: list[Any] = [
        one.body["objects"] for one in kit.store.all_evidence(point.id) if one.kind == "written"
    ]
    before, after = told[0], told[-1]
    names = set(after).difference(before)
    found = {path for path in _packs(site) if path.name in names}
    assert found
    return found


def _spoil(paths: set[Path]) -> None:
    for path in paths:
        path.chmod(0o600)
        path.write_bytes(bytes(byte ^ 0x55 for byte in path.read_bytes()))


def _spoil_largest_blob(site: Site, packs: set[Path]) -> None:
    """Of a record that is the manifest of its tree."""
    env = {
        "RESTIC_REPOSITORY": str(site.repository),
        "RESTIC_PASSWORD_FILE": str(site.base / "password"),
    }
    blobs = []
    for index in (site.repository / "index").iterdir():
        argv = ("restic", "cat", "index", index.name)
        found = json.loads(run(Command(argv, timedelta(seconds=60), env=env)).text)
        blobs += [
            (blob["length"], blob["offset"], pack["id"])
            for pack in found["packs"]
            for blob in pack["blobs"]
            if blob["type"] == "data" and pack["id"] in {path.name for path in packs}
        ]
    length, offset, pack = max(blobs)
    (path,) = (path for path in packs if path.name == pack)
    content = bytearray(path.read_bytes())
    content[offset + length // 2] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(content)


def _same(one: Path, other: Path) -> bool:
    files = [p.relative_to(one) for p in one.rglob("*") if p.is_file()]
    return bool(files) and all((one / p).read_bytes() == (other / p).read_bytes() for p in files)


def test_one_damaged_record_does_not_keep_the_others_out_of_a_history(site: Site) -> None:
    add_second_set(site)
    with site.kit() as kit:
        oldest, newer, other = _point(kit), _point(kit), _point(kit, "second")
        before = _packs(site)
        proof = prove(kit, "second").closing.run
        harmed = _packs(site) - before
        assert harmed
        _spoil(harmed | _of_record(site, kit, oldest))
    shutil.rmtree(site.base / "state")
    told = site.opsd("store", "rebuild")
    out, _ = told.communicate(timeout=120)
    assert told.returncode == 3, out
    assert oldest.id in out
    assert proof in out
    with site.kit() as kit:
        assert kit.store.points(SET) == (newer,)
        assert kit.store.points("second") == (other,)
        again = rebuild(kit)
        assert (again.points, again.proofs) == (0, 0)
        keys = {found.key: found.fields for found in again.findings}
        assert keys["rebuild.point_unread"]["point"] == oldest.id
        assert keys["rebuild.proof_unread"]["run"] == proof
        ended = kit.store.last_run(Task.REBUILD, "")
        assert ended is not None
        assert ended[1] is not None
        assert ended[1].outcome is Outcome.PARTIAL


def test_one_repository_that_is_away_does_not_keep_the_others_out_of_a_history(
    site: Site,
) -> None:
    with site.kit() as kit:
        point = _point(kit)
    shutil.rmtree(site.base / "state")
    away = f"{{url: {site.base}/away, password_file: {site.base}/password}}"
    site.changes["repositories:\n"] = f"repositories:\n  away: {away}\n"
    with site.kit() as kit:
        rebuilt = rebuild(kit)
        assert rebuilt.points == 1
        assert [(f.key, f.fields["repository"]) for f in rebuilt.findings] == [
            ("repository.missing", "away")
        ]
        assert kit.store.points(SET) == (point,)


def test_data_come_back_whose_record_is_lost_and_are_said_not_to_be_verified(site: Site) -> None:
    with site.kit() as kit:
        point = _point(kit)
        _spoil(_of_record(site, kit, point))
    shutil.rmtree(site.base / "state")
    target = site.base / "restored"
    told = site.opsd("restore", SET, "--to", str(target))
    out, err = told.communicate(timeout=120)
    assert told.returncode == 4, out + err
    assert out.count("NOT verified") == 2, out
    assert "RESTORED and verified" not in out
    assert "the record of recovery point" in out
    assert _same(site.system.scans, target / "scans")
    assert (target / "database" / "dump" / "toc.dat").exists()
    with site.kit() as kit:
        ended = kit.store.last_run(Task.RESTORE, SET)
        assert ended is not None
        assert ended[1] is not None
        assert ended[1].outcome is Outcome.COULD_NOT_VERIFY


def test_what_can_be_compared_is_compared_when_one_manifest_is_lost(site: Site) -> None:
    with site.kit() as kit:
        point = _point(kit)
        _spoil_largest_blob(site, _of_record(site, kit, point))
        door = Door(kit.restic("main"), "another-host")
        target = site.base / "restored"
        done = recorded(kit, door, plan(door, Request(SET, target)))
        assert [(f.key, f.fields.get("member")) for f in done.findings] == [
            ("restore.not_compared", "scans")
        ]
        assert (done.good, done.unverified, done.tables) == (False, True, 7)
        assert _same(site.system.scans, target / "scans")
        only = Request(SET, site.base / "only", member="database")
        assert carry_out(door, plan(door, only)).good
