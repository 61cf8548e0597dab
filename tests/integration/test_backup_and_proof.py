"""The main job from end to end, in this process, against real programs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from opsd import assembly
from opsd.config.load import load
from opsd.drivers.postgres import Connection, Database, Exported
from opsd.drivers.process import NEVER, Command, run
from opsd.drivers.restic import BackupSummary
from opsd.errors import DatabaseFailed, RepositoryDamaged
from opsd.model import MemberKind, Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Nobody
from opsd.tasks.members.captured import Work
from opsd.tasks.prove import prove
from tests.site import SET, Site


def test_a_backup_is_proved_to_the_last_level(site: Site) -> None:
    with site.kit() as kit:
        backup = back_up(kit, SET)
        assert backup.point is not None
        assert (backup.closing.outcome, backup.point.complete) == (Outcome.SUCCEEDED, True)
        proof = prove(kit, SET)
        assert (proof.closing.outcome, proof.level) == (Outcome.PASSED, Proof.PROVED)
        assert proof.point == backup.point
        assert proof.evidence["tables"] == 7
        assert proof.evidence["files"] == proof.evidence["reconciled_rows"] > 50
        assert proof.evidence["canaries"] == {
            "storage": True,
            "files:scans": True,
            "database:database": True,
            "reconcile:scans": True,
        }
        assert not [f for f in proof.closing.findings if f.severity is not Severity.NOTE]
        assert [p.level for p in kit.store.proofs(backup.point.id)] == list(Proof)
        assert not list(kit.config.scratch.iterdir())


def test_an_unchanged_day_adds_next_to_nothing(site: Site) -> None:
    with site.kit() as kit:
        first = back_up(kit, SET).point
        second = back_up(kit, SET).point
        assert first is not None
        assert second is not None
        scans = second.member("scans")
        assert scans is not None
        assert scans.added_bytes < 2000
        assert scans.bytes == sum(
            f.stat().st_size for f in site.system.scans.rglob("*") if f.is_file()
        )


def test_a_source_that_is_a_link_is_refused(site: Site) -> None:
    """Of a link restic stores the link and nothing behind it, and calls that a success."""
    link = site.base / "link"
    link.symlink_to(site.system.scans)
    site.changes[f"path: {site.system.scans}"] = f"path: {link}"
    with site.kit() as kit:
        closing = back_up(kit, SET).closing
    assert closing.outcome is Outcome.PARTIAL
    assert "source.link" in [found.key for found in closing.findings]


def test_kept_manifests_that_a_power_cut_spoilt_are_made_anew(site: Site) -> None:
    with site.kit() as kit:
        back_up(kit, SET)
        kept = kit.manifest(SET, "scans").parent
        (kept / "database.json").write_text("")
        scans = kept / "scans.jsonl"
        scans.write_bytes(scans.read_bytes()[:-20])
        closing = back_up(kit, SET).closing
        assert closing.outcome is Outcome.SUCCEEDED
        told = [f.fields["member"] for f in closing.findings if f.key == "manifest.unreadable"]
        assert sorted(map(str, told)) == ["database", "scans"]
        assert back_up(kit, SET).closing.findings == ()


def test_a_tree_touched_all_over_during_the_backup_is_not_proved(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be compared with what changed meanwhile: one file that held still is no tree."""
    store = Work.store

    def touched(self: Work, *arguments: object, **options: object) -> BackupSummary:
        summary = store(self, *arguments, **options)  # type: ignore[arg-type]
        if MemberKind.FILES.value in str(arguments):
            for path in sorted(p for p in site.system.scans.rglob("*") if p.is_file())[1:]:
                path.chmod(path.stat().st_mode)
        return summary

    monkeypatch.setattr(Work, "store", touched)
    with site.kit() as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        proof = prove(kit, SET)
    assert proof.closing.outcome is Outcome.FAILED
    assert "proof.files.unsteady" in [found.key for found in proof.closing.findings]
    assert proof.evidence["files"] == 1


def test_a_query_that_trips_over_a_row_does_not_quote_it(site: Site) -> None:
    with site.kit() as kit:
        member = kit.config.backup_sets[SET].databases["database"]
        with pytest.raises(DatabaseFailed) as caught, kit.database(member).connect() as connection:
            connection.violations(
                "SELECT 1 FROM dossier WHERE applicant::int = 1", timedelta(hours=1), NEVER
            )
    assert caught.value.detail == "22P02: invalid input syntax for type integer: …"


def test_no_tree_is_looked_at_before_the_moment_of_the_database(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is filed before that moment is in the database, and so it must be in the tree."""
    began = threading.Event()
    exported = Connection.exported_snapshot

    class Sees(Nobody):
        """Notes when a tree is first looked at."""

        def phase(self, name: str, subject: str = "") -> None:
            if name == "survey":
                began.set()

    @contextmanager
    def late(self: Connection) -> Iterator[Exported]:
        assert not began.wait(1), "a tree was looked at before"
        with exported(self) as moment:
            yield moment
            assert began.wait(30), "the trees wait for the whole dump"

    monkeypatch.setattr(Connection, "exported_snapshot", late)
    made = assembly.assemble(load(site.config_file), watcher=Sees())
    try:
        assert back_up(made, SET).closing.outcome is Outcome.SUCCEEDED
    finally:
        made.store.close()


def test_many_files_gone_during_the_backup_are_worth_a_look(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fell off its mount in mid-run is no office at work."""
    store = Work.store

    def gone(self: Work, *arguments: object, **options: object) -> BackupSummary:
        if MemberKind.FILES.value in str(arguments):
            for path in sorted(p for p in site.system.scans.rglob("*") if p.is_file())[:15]:
                path.unlink()
        return store(self, *arguments, **options)  # type: ignore[arg-type]

    with site.kit() as kit:
        monkeypatch.setattr(Work, "store", gone)
        told = {f.key: f.severity for f in back_up(kit, SET).closing.findings}
    assert told["files.vanished"] is Severity.CHANGE


def test_a_database_that_cannot_be_asked_fails_the_point_as_it_fails_the_run(site: Site) -> None:
    site.changes = {"p.id IS NULL": "p.no_such_column IS NULL"}
    with site.kit() as kit:
        point = back_up(kit, SET).point
        assert point is not None
        with pytest.raises(DatabaseFailed):
            prove(kit, SET)
        ended = kit.store.last_run(Task.PROVE, SET)
        assert ended is not None
        assert ended[1] is not None
        last = kit.store.proofs(point.id)[-1]
        assert (ended[1].outcome, last.outcome) == (Outcome.FAILED, Outcome.FAILED)


def test_a_repository_whose_tags_were_changed_does_not_lead_to_the_point(site: Site) -> None:
    with site.kit() as kit:
        point = back_up(kit, SET).point
        assert point is not None
        scans = point.member("scans")
        assert scans is not None
        env = {
            "RESTIC_REPOSITORY": str(site.repository),
            "RESTIC_PASSWORD_FILE": str(site.base / "password"),
        }
        argv = ("restic", "tag", "--remove", "part:scans", scans.snapshot)
        assert run(Command(argv, timedelta(seconds=60), env=env)).exit_code == 0
        with pytest.raises(RepositoryDamaged) as told:
            prove(kit, SET, point.id)
    assert told.value.key in {"repository.tells_otherwise", "repository.snapshots_gone"}


def test_files_touched_in_masses_after_the_dump_excuse_nothing(site: Site) -> None:
    class Touches(Nobody):
        """Rewrites every scan when the survey begins, as no office does."""

        def phase(self, name: str, subject: str = "") -> None:
            if name == "survey":
                for path in site.system.scans.rglob("*.p*"):
                    path.write_bytes(b"%PDF-1.4 not what the row says")

    made = assembly.assemble(load(site.config_file), watcher=Touches())
    try:
        assert back_up(made, SET).point is not None
        proof = prove(made, SET)
    finally:
        made.store.close()
    assert proof.closing.outcome is Outcome.FAILED
    assert "reconcile.newer" in {f.key for f in proof.closing.findings if f.severity == 2}


def test_a_dump_ends_before_it_fills_a_disk_that_others_live_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fills(Nobody):
        """Lets the disk run short when the dump begins."""

        def phase(self, name: str, subject: str = "") -> None:
            if name == "dump":
                monkeypatch.setattr("opsd.policy.preflight.spare_room", lambda _: 1 << 60)

    made = assembly.assemble(load(site.config_file), watcher=Fills())
    try:
        with Database(site.system.connection).connect() as office, office.raw.transaction():
            office.raw.execute("LOCK TABLE dossier IN ACCESS EXCLUSIVE MODE")
            backup = back_up(made, SET)
    finally:
        made.store.close()
    assert backup.closing.outcome is Outcome.PARTIAL
    assert "scratch.full" in {f.key for f in backup.closing.findings}
    assert backup.point is not None
    assert backup.point.member("database") is None
