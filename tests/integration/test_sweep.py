"""Clearing up after runs that died touches what is ours and nothing else."""

from __future__ import annotations

import shutil
import subprocess

from opsd.model import Outcome, Run, Task
from opsd.tasks.journal import opened
from opsd.tasks.kit import new_run_id
from opsd.tasks.sweep import leftovers, sweep
from tests.site import SET, Site


def test_a_dead_run_is_closed_and_its_scratch_wiped_on_the_record(site: Site) -> None:
    with site.kit() as kit:
        at = kit.clock()
        dead = Run(new_run_id(at), Task.PROVE, SET, "main", at, kit.config.host, 999_999_999)
        kit.store.open_run(dead)
        left = kit.scratch(dead.id) / "scans"
        left.mkdir(parents=True)
        (left / "restored").write_text("personal data, as it were")
        assert sweep(kit) == (dead,)
        assert not kit.scratch(dead.id).exists()
        ended = kit.store.last_run(Task.PROVE, SET)
        assert ended is not None
        assert ended[1] is not None
        assert ended[1].outcome is Outcome.INTERRUPTED
        wiped = kit.store.evidence(dead.id, "wiped")
        assert wiped is not None
        assert (wiped["files"], wiped["after_crash"]) == (1, True)


def test_a_throwaway_server_that_outlived_its_run_is_ended_and_counted(site: Site) -> None:
    """It was begun a moment before opsd died, and had not yet asked to die with it."""
    with site.kit() as kit:
        at = kit.clock()
        dead = Run(new_run_id(at), Task.PROVE, SET, "main", at, kit.config.host, 999_999_999)
        kit.store.open_run(dead)
        place = kit.scratch(dead.id) / "database.cluster"
        place.mkdir(parents=True)
        program = shutil.copy(shutil.which("sleep") or "", place / "postgres")
        with subprocess.Popen([program, "60"], cwd=place) as server:
            sweep(kit)
            server.wait(20)  # raises where it lives on
        wiped = kit.store.evidence(dead.id, "wiped")
        assert wiped is not None
        assert wiped["processes"] == 1


def test_what_is_not_ours_stays_in_scratch(site: Site) -> None:
    with site.kit() as kit:
        foreign = kit.config.scratch / "somebody's"
        foreign.mkdir(parents=True)
        (foreign / "thesis").write_text("all of it")
        elsewhere = site.base / "elsewhere"
        elsewhere.mkdir()
        (kit.config.scratch / new_run_id(kit.clock())).symlink_to(elsewhere)
        sweep(kit)
        assert (foreign / "thesis").exists()
        assert elsewhere.exists()


def test_a_run_of_another_history_in_the_same_scratch_is_wiped_only_when_it_is_over(
    site: Site,
) -> None:
    with site.kit() as kit:
        site.changes[f"{site.base}/state"] = f"{site.base}/another"
        with site.kit() as other:
            with opened(other, Task.PROVE, SET, "main") as journal:
                (journal.workplace() / "restored").write_text("personal data, as it were")
                assert sweep(kit) == ()
                assert leftovers(kit) == ()
                assert (other.scratch(journal.run.id) / "restored").exists()
            assert leftovers(kit) == (journal.run.id,)
            sweep(kit)
        assert list(kit.config.scratch.iterdir()) == []


def test_a_lease_without_its_place_is_removed(site: Site) -> None:
    with site.kit() as kit:
        kit.config.scratch.mkdir()
        kit.scratch_lease(new_run_id(kit.clock())).touch()
        sweep(kit)
        assert list(kit.config.scratch.iterdir()) == []
