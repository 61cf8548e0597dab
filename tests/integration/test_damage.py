"""A damaged pack: whom it affects, and that the plan of repair, carried out, heals it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from opsd.drivers.storage import LocalStorage
from opsd.errors import RepositoryDamaged
from opsd.policy.repair import StepName
from opsd.report import damage as report
from opsd.report.voice import Voice
from opsd.tasks import coverage, damage, keeping
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit
from tests.season import DAY, SET, Season, judged, word


def harm(season: Season, kit: Kit, kind: str, name: str) -> Path:
    """Change a byte of the first blob in the pack that holds what is at `name`."""
    restic = kit.restic("main")
    held = restic.contents({o.name for o in LocalStorage(season.base / "repository").objects()})
    packs = sorted(pack for pack, blobs in held.items() if {k for _, k in blobs} == {kind})
    wanted = {p: {b for b, _ in held[p]} for p in packs}
    found = next(
        pack
        for pack in packs
        if any(
            path.endswith(name)
            for _, path in restic.find(
                "blob" if kind == "data" else "tree", sorted(wanted[pack]), ()
            )
        )
    )
    path = season.base / "repository" / "data" / found[:2] / found
    path.chmod(0o600)
    body = bytearray(path.read_bytes())
    body[20] ^= 1
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("kind", ["data", "tree"])
def test_the_points_and_files_that_need_a_damaged_pack_are_named(kind: str, season: Season) -> None:
    with season.kit() as kit:
        first, second, third = (season.night(kit) for _ in range(3))
        judged(kit, third)
        assert not damage.survey(kit, SET).objects
        harm(season, kit, kind, "2.00.txt" if kind == "data" else "scans")
        season.passed += DAY
        with pytest.raises(RepositoryDamaged):
            coverage.cover(kit, SET)
        found = damage.survey(kit, SET)
        assert [one.kind for one in found.objects] == ["data"]
        assert not found.unplaced
        if kind == "data":
            assert found.points == (third.id, second.id), "not the night before the file was there"
            assert {n for one in found.affected for n in one.names} == {
                f"{season.base}/scans/2.00.txt"
            }
        else:
            assert found.affected[0].whole
            assert set(found.points) <= {first.id, second.id, third.id}
        said = report.damage(Voice(kit.config.language, kit.config.zone), found)
        assert found.objects[0].name in said
        assert "repair index" in said


def test_the_plan_heals_what_the_source_still_has(season: Season) -> None:
    with season.kit() as kit:
        for _ in range(3):
            season.night(kit)
        harm(season, kit, "data", "2.00.txt")
        season.passed += DAY
        with pytest.raises(RepositoryDamaged):
            coverage.cover(kit, SET)
        found = damage.survey(kit, SET)
        for step in found.steps:
            if step.name in {StepName.KEEP, StepName.REPAIR_PACKS, StepName.REPAIR_INDEX}:
                assert step.directory is not None
                step.directory.mkdir(parents=True, exist_ok=True)
                subprocess.run(
                    step.argv,
                    cwd=step.directory,
                    env={**os.environ, **step.env, "RESTIC_CACHE_DIR": str(kit.config.cache)},
                    check=True,
                    capture_output=True,
                    timeout=60,
                )
            elif step.name is StepName.BACK_UP:
                done = back_up(kit, SET)
                assert "repository.healed" in {f.key for f in done.closing.findings}
        season.passed += DAY
        assert coverage.cover(kit, SET).covered.damaged == 0
        assert not damage.survey(kit, SET).objects
        checked = kit.restic("main").check(limits=kit.limits("main", DAY), subset="100%")
        assert not checked.complaints
        keeping.acknowledge(kit, SET, word(kit))
        assert not kit.store.freezes(SET)
