"""Getting everything back: by people, without a history, and the history itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers.process import Command, run
from opsd.errors import Refused, UsageError
from opsd.model import Outcome, Proof, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit, Nobody
from opsd.tasks.prove import prove
from opsd.tasks.rebuild import rebuild
from opsd.tasks.restore import carry_out, plan, recorded
from opsd.tasks.restoring.terms import Door, Request
from tests.site import ROOT, SET, Site, add_second_set


def _door(kit: Kit, host: str = "another-host") -> Door:
    return Door(kit.restic("main"), host)


def _content(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in root.rglob("*")
        if p.is_file()
    }


def test_everything_comes_back_without_a_history(site: Site) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        shutil.rmtree(kit.config.state)
        target = site.base / "restored"
        wanted = plan(_door(kit), Request(SET, target))
        assert not target.exists()
        assert [step.target.name for step in wanted.steps] == ["database", "scans"]
        done = carry_out(_door(kit), wanted)
    assert done.good, done.findings
    assert _content(target / "scans") == _content(site.system.scans)
    assert done.files == len(_content(site.system.scans))
    assert (done.tables, done.rows > 100) == (7, True)
    assert (target / "database" / "globals.sql").read_text().count("CREATE ROLE") > 1
    secret = [target / "database", target / "database" / "globals.sql"]
    assert not any(path.stat().st_mode & 0o077 for path in secret), "password hashes of roles"


def test_all_comes_back_by_hand_as_the_page_says(site: Site) -> None:
    """Steps 0 to 5; they say nothing as long as all is equal, and name what is not."""
    with site.kit() as kit:
        back_up(kit, SET)
        repository = kit.config.repositories["main"].url
    page = (ROOT / "docs" / "repository-format.md").read_text(encoding="utf-8")
    steps = page.split("## Restore by hand")[1].split("```sh")[1].split("# 6.")[0]
    steps = steps.replace("/mnt/backup/opsd ", f"{repository} ")
    steps = steps.replace("/root/sealed-password", str(site.base / "password"))
    changing = """
        sed -i 's/"digest":"./"digest":"x/g' record/database.manifest.json
        echo x >> "scans/$(cd scans && find . -type f | head -n 1)"
    """
    asking = "# 4." + steps.split("# 4.")[1]
    target = site.base / "by-hand"
    target.mkdir()
    done = subprocess.run(
        ["bash", "-c", f"set -eu\n{steps}\necho CHANGED\n{changing}\nset +e\n{asking}"],
        cwd=target,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    before, after = done.stdout.split("CHANGED\n")
    assert ("FAILED" in before or "DIFFERENT" in before, done.stderr) == (False, done.stderr)
    assert _content(target / "scans").keys() == _content(site.system.scans).keys()
    assert after.count("DIFFERENT") == 7
    assert after.count("FAILED") == 1


def test_a_dump_is_loaded_into_an_empty_database_and_compared(site: Site) -> None:
    connection = site.system.cluster.connection("postgres")
    made = run(
        Command(("psql", "-X", "-c", "CREATE DATABASE back", connection), timedelta(seconds=20))
    )
    assert made.exit_code == 0
    with site.kit() as kit:
        back_up(kit, SET)
        request = Request(
            SET,
            site.base / "restored",
            member="database",
            load_into=site.system.cluster.connection("back"),
        )
        done = carry_out(_door(kit), plan(_door(kit), request))
        assert done.good, done.findings
        again = replace(request, target=site.base / "once-more")
        with pytest.raises(Refused) as refused:
            carry_out(_door(kit), plan(_door(kit), again))
    assert refused.value.key == "restore.database_used"


def test_named_parts_alone_come_back(site: Site) -> None:
    file = next(p for p in sorted(site.system.scans.rglob("*")) if p.is_file())
    name = str(file.relative_to(site.system.scans))
    with site.kit() as kit:
        back_up(kit, SET)
        target = site.base / "restored"
        request = Request(SET, target, member="scans", only=(name,))
        done = carry_out(_door(kit), plan(_door(kit), request))
        assert done.good, done.findings
        assert _content(target) == {name: hashlib.sha256(file.read_bytes()).hexdigest()}
        lost = replace(request, target=site.base / "nothing", only=(name, "no/such/thing"))
        done = carry_out(_door(kit), plan(_door(kit), lost))
        told = [(found.key, found.fields["path"]) for found in done.findings]
        assert told == [("restore.no_path", "no/such/thing")]
        assert not done.good


def test_a_path_need_not_be_in_every_member_and_may_be_an_empty_directory(site: Site) -> None:
    add_second_set(site)
    with site.kit() as kit:
        back_up(kit, "second")
        target = site.base / "restored"
        request = Request("second", target, only=("sent/", "drafts"))
        done = carry_out(_door(kit), plan(_door(kit), request))
        assert (done.good, done.findings, done.files) == (True, [], 1)
        assert (target / "letters" / "sent" / "one.txt").read_text() == "a letter"
        assert (target / "letters" / "drafts").is_dir()
        assert not list((target / "notes").iterdir())
        elsewhere = replace(request, target=site.base / "other", member="notes")
        done = carry_out(_door(kit), plan(_door(kit), elsewhere))
        assert [found.fields["path"] for found in done.findings] == ["sent/", "drafts"]
        assert not done.good


def test_a_point_in_time_is_the_newest_before_it(site: Site) -> None:
    with site.kit() as kit:
        first, second = back_up(kit, SET).point, back_up(kit, SET).point
        assert first is not None
        assert second is not None
        target = site.base / "restored"
        just_before = second.at - timedelta(milliseconds=1)
        chosen = plan(_door(kit), Request(SET, target, at=just_before)).point
        assert chosen.id == first.id
        assert plan(_door(kit), Request(SET, target)).point.id == second.id
        with pytest.raises(UsageError) as refused:
            plan(_door(kit), Request(SET, target, at=first.at - timedelta(days=1)))
    assert refused.value.key == "restore.no_point"


@pytest.mark.parametrize("below", ["", "2026", ".."])
def test_the_living_source_is_not_touched_unless_told_in_full(site: Site, below: str) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        door = _door(kit, host=kit.config.host)
        request = Request(SET, site.system.scans / below, member="scans", into_used_target=True)
        with pytest.raises(Refused) as refused:
            plan(door, request)
        assert refused.value.key == "restore.live_source"
        assert plan(door, replace(request, over_live_source=True)).steps


def test_a_used_target_is_not_touched_unless_told_in_full(site: Site) -> None:
    target = site.base / "restored"
    (target / "scans").mkdir(parents=True)
    (target / "scans" / "mine").write_text("keep me")
    with site.kit() as kit:
        back_up(kit, SET)
        with pytest.raises(Refused) as refused:
            plan(_door(kit), Request(SET, target))
        assert refused.value.key == "restore.target_used"
        with pytest.raises(Refused) as refused:
            plan(_door(kit), Request(SET, target / "scans" / "mine" / "below"))
        assert refused.value.key == "target.barred"
        done = carry_out(_door(kit), plan(_door(kit), Request(SET, target, into_used_target=True)))
    assert done.good, done.findings
    assert (target / "scans" / "mine").read_text() == "keep me"


def test_a_living_source_is_known_by_its_files_when_the_machine_has_another_name(
    site: Site,
) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        over = Request(SET, site.system.scans, member="scans", into_used_target=True)
        with pytest.raises(Refused) as refused:
            plan(_door(kit, "another-name"), over)
    assert refused.value.key == "restore.live_source"


def test_a_lost_history_is_rebuilt_from_the_repository(site: Site) -> None:
    with site.kit() as kit:
        first, second = back_up(kit, SET).point, back_up(kit, SET).point
        assert first is not None
        assert second is not None
        proof = prove(kit, SET, first.id)
    shutil.rmtree(site.base / "state")
    with site.kit() as kit:
        assert kit.store.points(SET) == ()
        rebuilt = rebuild(kit)
        assert (rebuilt.points, rebuilt.proofs) == (2, 1)
        assert kit.store.points(SET) == (second, first)
        assert kit.store.proofs(first.id)[-1].level is Proof.PROVED
        assert [p.level for p in kit.store.proofs(second.id)] == [Proof.TAKEN]
        newest = kit.store.last_run(Task.BACKUP, SET, good=True)
        assert newest is not None
        assert newest[0].id == second.id
        proved = kit.store.last_run(Task.PROVE, SET)
        assert proved is not None
        assert proved[1] is not None
        assert (proved[0].id, proved[1].outcome) == (proof.closing.run, Outcome.PASSED)
        assert rebuild(kit).points == 0
        written = kit.store.evidence(second.id, "written")
        assert written is not None
        again = prove(kit, SET, second.id)
        assert again.closing.outcome is Outcome.PASSED
        assert again.evidence["read_objects"] >= len(written["objects"]) > 2


def test_a_proof_that_failed_outlives_the_history_too(site: Site) -> None:
    with site.kit() as kit:
        point = back_up(kit, SET).point
        assert point is not None
        site.changes["a.size, a.sha256"] = "a.size + 1, a.sha256"
        with site.kit() as strict:
            failed = prove(strict, SET)
        assert failed.closing.outcome is Outcome.FAILED
        before = [(p.level, p.outcome) for p in kit.store.proofs(point.id)]
    shutil.rmtree(site.base / "state")
    with site.kit() as kit:
        rebuilt = rebuild(kit)
        assert (rebuilt.points, rebuilt.proofs) == (1, 1)
        assert [(p.level, p.outcome) for p in kit.store.proofs(point.id)] == before
        ((run, closing),) = kit.store.runs(Task.PROVE, SET)
        assert closing is not None
        assert (run.id, closing.outcome) == (failed.closing.run, Outcome.FAILED)
        assert closing.reason == "integrity"
        assert {f.key for f in closing.findings} >= {"reconcile.content"}


def test_a_restore_of_a_person_stands_in_the_history(site: Site) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        wanted = plan(_door(kit), Request(SET, site.base / "restored"))
        assert recorded(kit, _door(kit), wanted).good
        ended = kit.store.last_run(Task.RESTORE, SET, good=True)
        assert ended is not None
        asked = kit.store.evidence(ended[0].id, "restore")
        assert asked is not None
        assert asked["target"] == str(site.base / "restored")


class _Looker(Nobody):
    """Looks into scratch when a phase begins."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.seen: set[str] = set()

    def phase(self, name: str, subject: str = "") -> None:
        del name, subject
        self.seen |= {place.name for place in self._scratch.iterdir() if place.is_dir()}

    def advance(self, done: int, total: int) -> None:
        """Nothing."""


def test_names_of_files_lie_where_a_crash_is_swept_up(site: Site) -> None:
    """Manifests name everybody's files; in /tmp nobody would ever wipe what a kill left."""
    with site.kit() as kit:
        back_up(kit, SET)
        looker = _Looker(kit.config.scratch)
        door = replace(_door(kit), watcher=looker)
        wanted = plan(door, Request(SET, site.base / "scans", member="scans"))
        assert recorded(kit, door, wanted).good
        run_of_it = kit.store.last_run(Task.RESTORE, SET)
        assert run_of_it is not None
        assert looker.seen == {run_of_it[0].id}
        assert not list(kit.config.scratch.iterdir())


def test_files_come_back_on_a_machine_without_postgresql(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        monkeypatch.setattr("opsd.drivers.cluster._DEBIAN_ROOT", site.base / "no-postgresql")
        target = site.base / "restored"
        done = carry_out(_door(kit), plan(_door(kit), Request(SET, target)))
    assert done.good
    assert [found.key for found in done.findings] == ["restore.unverified"]
    assert _content(target / "scans") == _content(site.system.scans)
    assert (target / "database" / "dump" / "toc.dat").exists()


def test_a_point_that_lost_a_member_is_never_restored_as_whole(site: Site) -> None:
    """Without history only the record knows that there was more: `restic forget` leaves it."""
    with site.kit() as kit:
        point = back_up(kit, SET).point
        assert point is not None
        database = point.member("database")
        assert database is not None
        door = _door(kit)
        forgotten = run(
            Command(
                ("restic", "forget", database.snapshot),
                timedelta(seconds=60),
                env={
                    "RESTIC_REPOSITORY": str(site.repository),
                    "RESTIC_PASSWORD_FILE": str(site.base / "password"),
                },
            )
        )
        assert forgotten.exit_code == 0
        wanted = plan(door, Request(SET, site.base / "restored"))
        assert [found.key for found in wanted.findings] == ["restore.member_gone"]
        assert not carry_out(door, wanted).good
        only = plan(door, Request(SET, site.base / "scans", member="scans"))
        assert only.findings == ()
