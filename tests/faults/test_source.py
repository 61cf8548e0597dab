"""The living source harmed between two nights: taken as it is, and told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from opsd.model import Outcome, Proof, Severity, Task
from opsd.tasks.prove import prove
from tests.faults.telling import all_is_well, attempt, nothing_left
from tests.site import ROOT, SET, Site

BACKUP, PROVE = Task.BACKUP, Task.PROVE
PROVED = (Proof.RESTORED, Proof.PROVED)
NO_OVERRIDE = "-dac_override,-dac_read_search"


def scans(site: Site) -> list[Path]:
    """The scans of this site, wherever its configuration has them."""
    root = site.base / "scans"
    found = sorted(p for p in root.rglob("*") if p.is_file())
    assert len(found) > 50
    return found


def delete(count: int) -> Callable[[Site], None]:
    def apply(site: Site) -> None:
        for path in scans(site)[5 : 5 + count]:
            path.unlink()

    return apply


def alter(path: Path) -> None:
    """One byte, and the times of modification and access put back."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def alter_one(site: Site) -> None:
    path = scans(site)[7]
    path.write_bytes(path.read_bytes() + b"more")


def alter_one_and_hide_it(site: Site) -> None:
    alter(scans(site)[7])


def alter_one_and_date_it_ahead(site: Site) -> None:
    path = scans(site)[7]
    alter(path)
    os.utime(path, (4102444800, 4102444800))  # 2100-01-01


def replace_by_link(site: Site) -> None:
    path = scans(site)[7]
    aside = path.with_name("aside")
    path.rename(aside)
    path.symlink_to(aside.name)


def empty_one(site: Site) -> None:
    scans(site)[7].write_bytes(b"")


def unmount(site: Site) -> None:
    """An empty directory where the scans were: their disk is not mounted."""
    shutil.rmtree(site.base / "scans")
    (site.base / "scans").mkdir()


@dataclass(frozen=True)
class Loss:
    """A row: what happens to the scans, and what the proof of the next night must tell."""

    name: str
    apply: Callable[[Site], None]
    told: dict[str, int | None] = field(default_factory=dict)


LOSSES = [
    Loss("three scans deleted", delete(3), {"reconcile.missing": 3}),
    Loss("one scan altered without its row", alter_one, {"reconcile.content": 1}),
    Loss("altered with its mtime put back", alter_one_and_hide_it, {"reconcile.content": 1}),
    Loss("altered with its mtime ahead", alter_one_and_date_it_ahead, {"reconcile.content": 1}),
    Loss("one scan emptied", empty_one, {"reconcile.content": 1}),
    Loss("one scan replaced by a link", replace_by_link, {"reconcile.missing": 1}),
    Loss("an empty tree: its disk is not mounted", unmount, {"reconcile.missing": None}),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_a_loss_fails_the_next_proof(loss: Loss, ward: Site) -> None:
    kept = ward.base / "kept"
    shutil.copytree(ward.base / "scans", kept)
    loss.apply(ward)
    backup = attempt(ward, BACKUP)
    assert backup.outcome is Outcome.SUCCEEDED, backup.text
    told = attempt(ward, PROVE)
    assert (told.outcome, told.closing.reason) == (Outcome.FAILED, "integrity"), told.text
    for key, count in loss.told.items():
        assert key in told.keys, told.text
        assert count is None or told.keys[key].fields["count"] == count
    nothing_left(ward)
    shutil.rmtree(ward.base / "scans")
    kept.rename(ward.base / "scans")
    assert attempt(ward, BACKUP).outcome is Outcome.SUCCEEDED


def test_an_emptied_table_is_worth_a_look(own: Site) -> None:
    with psycopg.connect(own.system.connection) as connection:
        connection.execute("DELETE FROM signed_receipt")
    told = attempt(own, BACKUP)
    assert told.outcome is Outcome.SUCCEEDED
    found = told.keys["change.table_emptied"]
    assert found.severity is Severity.CHANGE
    assert found.fields["table"] == "public.signed_receipt"
    assert attempt(own, PROVE).outcome is Outcome.PASSED
    with psycopg.connect(own.system.connection) as connection:
        connection.execute("DROP TABLE signed_receipt CASCADE")
    assert "change.table_gone" in attempt(own, BACKUP).keys


def test_a_source_that_does_not_exist_leaves_the_database_taken(ward: Site) -> None:
    shutil.move(ward.base / "scans", ward.base / "elsewhere")
    told = attempt(ward, BACKUP)
    assert (told.outcome, told.closing.reason) == (Outcome.PARTIAL, "source"), told.text
    assert told.keys["member.failed"].fields["member"] == "scans"
    assert str(ward.base / "scans") in told.text
    assert "source.missing" in told.keys
    with ward.kit() as kit:
        point = kit.store.points(SET)[0]
        assert not point.complete
        assert [member.member for member in point.members] == ["database"]
        proof = prove(kit, SET, point.id)
        assert proof.closing.outcome is Outcome.FAILED
        assert "proof.incomplete" in {found.key for found in proof.closing.findings}
        assert {p.level for p in kit.store.proofs(point.id) if p.outcome.good}.isdisjoint(PROVED)
    shutil.move(ward.base / "elsewhere", ward.base / "scans")
    all_is_well(ward)


def without_privileges(site: Site) -> int:
    """Back up in a process that permissions hold back, as they do for the account of opsd."""
    drop = ("setpriv", f"--bounding-set={NO_OVERRIDE}", f"--inh-caps={NO_OVERRIDE}")
    argv = (
        sys.executable,
        "-m",
        "opsd",
        "backup",
        SET,
        "--no-prove",
        "--config",
        str(site.config_file),
    )
    as_root = os.geteuid() == 0
    done = subprocess.run(
        (*drop, *argv) if as_root else argv,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done.returncode


@dataclass(frozen=True)
class Shut:
    """A row: a mode that keeps opsd out, and of what."""

    name: str
    mode: int
    directory: bool


SHUTS = [
    Shut("a file that cannot be read", 0o000, directory=False),
    Shut("a directory that cannot be listed", 0o311, directory=True),
    Shut("a directory that cannot be entered", 0o644, directory=True),
]


@pytest.mark.parametrize("shut", SHUTS, ids=lambda shut: shut.name)
def test_what_cannot_be_read_is_named(shut: Shut, ward: Site) -> None:
    chosen = scans(ward)[7]
    harmed = chosen.parent if shut.directory else chosen
    mode = harmed.stat().st_mode
    with ward.kit() as kit:
        before = kit.store.last_run(BACKUP, SET, good=True)
    harmed.chmod(shut.mode)
    try:
        assert without_privileges(ward) != 0
    finally:
        harmed.chmod(mode)
    with ward.kit() as kit:
        found = kit.store.last_run(BACKUP, SET)
        assert found is not None
        closing = found[1]
        assert closing is not None
        assert (closing.outcome, closing.reason) == (Outcome.PARTIAL, "partial"), closing.findings
        told = {finding.key: finding for finding in closing.findings}
        named = f"{told['files.unreadable'].fields['names']}"
        assert str(harmed.relative_to(ward.base / "scans")) in named
        point = kit.store.points(SET)[0]
        assert not point.complete
        assert {member.member for member in point.members} == {"database", "scans"}
        assert kit.store.last_run(BACKUP, SET, good=True) == before
    all_is_well(ward)
