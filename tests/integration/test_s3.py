"""The main job with a repository in a bucket, on a real S3 server, and what can go wrong there."""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.drivers import s3 as door
from opsd.drivers.restic import Limits, Source
from opsd.errors import RepositoryDamaged, RepositoryMissing, StorageFailed
from opsd.keeping import Cause
from opsd.model import Outcome, Proof, Status, Task
from opsd.tasks import stock
from opsd.tasks.backup import back_up
from opsd.tasks.coverage import cover
from opsd.tasks.doctor import examine
from opsd.tasks.kit import Nobody
from opsd.tasks.prove import prove
from opsd.tasks.rebuild import rebuild
from opsd.tasks.restore import carry_out, plan
from opsd.tasks.restoring.terms import Door, Request
from opsd.tasks.retain import retain
from tests.faults.telling import attempt, copy_tree, empty_repository, nothing_left
from tests.s3 import BUCKET, Server, credentials, in_bucket
from tests.site import SET, Site, copy_of, workplace

pytestmark = pytest.mark.xdist_group("s3")

DAY = timedelta(days=1)
BLIND = Outcome.COULD_NOT_VERIFY


@pytest.fixture(scope="module")
def safe(template: Path, s3: Server) -> Iterator[tuple[Site, str]]:
    """Backed up and proved in a bucket, and the prefix there. Shared: only to be copied."""
    with workplace() as base:
        system = copy_of(template, base)
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        empty_repository(base / "empty")
        prefix = f"safe-{secrets.token_hex(4)}"
        s3.upload(base / "empty", prefix)
        system.start()
        site = in_bucket(Site(base, system), s3, prefix)
        try:
            with site.kit() as kit:
                assert back_up(kit, SET).closing.outcome.good
                assert prove(kit, SET).closing.outcome.good
            yield site, prefix
        finally:
            system.stop()


@dataclass(frozen=True)
class Ward:
    """A copy of that repository and of its history; the database is shared: only read it."""

    site: Site
    server: Server
    prefix: str

    def keys(self, kind: str) -> list[str]:
        """The objects of a kind, the largest first."""
        found = sorted(self.server.keys(f"{self.prefix}/{kind}"))
        return sorted(found, key=lambda key: -len(self.server.read(key)))


@pytest.fixture
def ward(safe: tuple[Site, str], s3: Server) -> Iterator[Ward]:
    whole, source = safe
    with workplace() as base:
        copy_tree(whole.base / "state", base / "state")
        shutil.copy2(whole.base / "password", base / "password")
        prefix = f"ward-{secrets.token_hex(4)}"
        s3.copy(source, prefix)
        yield Ward(in_bucket(Site(base, whole.system), s3, prefix), s3, prefix)


# ------------------------------------------------------------------------------ the main job


def test_a_backup_is_proved_and_its_objects_were_read_by_us(safe: tuple[Site, str]) -> None:
    site, prefix = safe
    with site.kit() as kit:
        (point,) = kit.store.points(SET)
        assert [p.level for p in kit.store.proofs(point.id)] == list(Proof)
        proved = kit.store.last_run(Task.PROVE, SET, good=True)
        assert proved is not None
        figures = kit.store.evidence(proved[0].id, "proof")
        written = kit.store.evidence(point.id, "written")
        storage = kit.storage("main")
        assert figures is not None
        assert written is not None
        assert storage is not None
        assert prefix in kit.config.repositories["main"].url
        assert set(written["objects"]) < {stored.name for stored in storage.objects()}
    assert figures["canaries"]["storage"] is True
    assert (figures["read_whole"], figures["read_bytes"] > 0) == (True, True)
    assert figures["read_objects"] > len(written["objects"]) > 3


def test_the_read_budget_holds_and_new_objects_come_first(ward: Ward) -> None:
    ward.site.changes["    prove:\n"] = "    prove:\n      read_budget: 1KiB\n"
    with ward.site.kit() as kit:
        (point,) = kit.store.points(SET)
        written = kit.store.evidence(point.id, "written")
        storage = kit.storage("main")
        assert written is not None
        assert storage is not None
        objects = list(storage.objects())
        proof = prove(kit, SET)
    assert proof.level is Proof.PROVED
    assert proof.evidence["read_whole"] is False
    turns = proof.evidence["packs"]["main"]
    assert len(turns["numbers"]) < turns["parts"], "one turn cannot have read all"
    assert datetime.fromisoformat(turns["covered_since"]) <= proof.closing.closed_at
    assert len(written["objects"]) <= proof.evidence["read_objects"] < len(objects)


def test_what_is_stored_is_read_again_and_what_decayed_is_named(ward: Ward) -> None:
    """Each object by opsd itself; one that was turned in the bucket freezes retention."""
    with ward.site.kit() as kit:
        key = ward.keys("data")[0]
        content, name = ward.server.read(key), key.rpartition("/")[2]
        ward.server.write(key, bytes([content[0] ^ 1]) + content[1:])
        ahead = replace(kit, clock=lambda: now() + 31 * DAY)  # nobody looked for so long
        with pytest.raises(RepositoryDamaged, match=name[:16]):
            cover(ahead, SET)
        assert [one.name for one in stock.damaged(kit, "main")] == [name]
        assert {one.cause for one in kit.store.freezes(SET)} == {Cause.DAMAGE}
        ward.server.write(key, content)
        done = cover(ahead, SET)
        storage = kit.storage("main")
        assert storage is not None
        assert (done.covered.damaged, done.covered.unread) == (0, 0)
        assert done.covered.objects == len(list(storage.objects()))
        assert done.closing.outcome is Outcome.SUCCEEDED


def test_an_empty_prefix_is_a_missing_repository_and_takes_a_new_one(ward: Ward) -> None:
    shutil.rmtree(ward.site.base / "state")
    for key in list(ward.server.keys(ward.prefix)):
        ward.server.remove(key)
    with ward.site.kit() as kit:
        kit.reach("main")
        repository = kit.restic("main")
        with pytest.raises(RepositoryMissing):
            repository.snapshots()
        repository.init()
        assert repository.snapshots() == ()
    assert f"{ward.prefix}/config" in set(ward.server.keys(ward.prefix))


def test_what_no_rule_keeps_is_dropped_and_its_space_given_back(ward: Ward) -> None:
    ward.site.changes["    rto: 4h\n"] = (
        "    rto: 4h\n    retention: {min_age: 1s, min_points: 1}\n"
    )
    with ward.site.kit() as kit:
        (old,) = kit.store.points(SET)
        taken = back_up(kit, SET).point
        assert taken is not None
        assert prove(kit, SET).level is Proof.PROVED
        before = set(ward.server.keys(ward.prefix))
        done = retain(kit, SET)
        assert done.closing.outcome.good
        assert [point.id for point in kit.store.points(SET)] == [taken.id]
        pruned = kit.store.evidence(done.closing.run, "pruned")
        assert pruned is not None
        assert (pruned["finished"], pruned["refused"]) == (True, 0)
        left = set(ward.server.keys(ward.prefix))
        gone = {f"{ward.prefix}/snapshots/{s}" for s in (old.record, old.members[0].snapshot)}
        assert gone <= before - left
        assert prove(kit, SET).level is Proof.PROVED


def test_everything_comes_back_without_a_history(ward: Ward) -> None:
    target = ward.site.base / "restored"
    with ward.site.kit() as kit:
        shutil.rmtree(kit.config.state)
        way = Door(kit.restic("main"), "another-host")
        done = carry_out(way, plan(way, Request(SET, target)))
    assert done.good, done.findings
    scans = ward.site.system.scans
    names = sorted(p.relative_to(scans) for p in scans.rglob("*") if p.is_file())
    assert names
    for name in names:
        assert (target / "scans" / name).read_bytes() == (scans / name).read_bytes()


def test_a_lost_history_is_rebuilt(ward: Ward) -> None:
    with ward.site.kit() as kit:
        (known,) = kit.store.points(SET)
    shutil.rmtree(ward.site.base / "state")
    with ward.site.kit() as kit:
        rebuilt = rebuild(kit)
        assert (rebuilt.points, rebuilt.proofs) == (1, 1)
        assert kit.store.points(SET) == (known,)
        assert kit.store.proofs(known.id)[-1].level is Proof.PROVED


# ------------------------------------------------------------------------------ faults


def remove_pack(ward: Ward) -> None:
    ward.server.remove(ward.keys("data")[0])


def overwrite_pack(ward: Ward) -> None:
    """As many bytes as before, one of them another: what `restic check` does not see."""
    key = ward.keys("data")[0]
    content = bytearray(ward.server.read(key))
    content[len(content) // 2] ^= 1
    ward.server.write(key, bytes(content))


def swap_packs(ward: Ward) -> None:
    one, other = ward.keys("data")[:2]
    ward.server.write(one, ward.server.read(other))


def remove_snapshot(ward: Ward) -> None:
    with ward.site.kit() as kit:
        (point,) = kit.store.points(SET)
    ward.server.remove(f"{ward.prefix}/snapshots/{point.record}")


def remove_everything(ward: Ward) -> None:
    for key in list(ward.server.keys(ward.prefix)):
        ward.server.remove(key)


def use_unknown_key(ward: Ward) -> None:
    credentials(ward.site.base / "keys", key="NOBODY")


def use_wrong_secret(ward: Ward) -> None:
    credentials(ward.site.base / "keys", secret="not+the/secret")


def use_a_file_without_a_key(ward: Ward) -> None:
    (ward.site.base / "keys").write_text("[another]\n")


def use_a_bucket_that_is_not_there(ward: Ward) -> None:
    (change, wanted), *_ = ward.site.changes.items()
    ward.site.changes[change] = wanted.replace(f"/{BUCKET}/", "/nobodys/")


@dataclass(frozen=True)
class Fault:
    """What is done behind restic's back, what is tried next, and what must be told."""

    name: str
    apply: Callable[[Ward], None]
    then: Task
    outcome: Outcome
    reason: str
    key: str


PROVE, BACKUP, FAILED = Task.PROVE, Task.BACKUP, Outcome.FAILED
DENIED = "repository.denied"
FAULTS = [
    Fault("a pack deleted", remove_pack, PROVE, FAILED, "integrity", "repository.damaged"),
    Fault(
        "a pack overwritten",
        overwrite_pack,
        PROVE,
        FAILED,
        "integrity",
        "repository.objects_damaged",
    ),
    Fault("a pack with another's content", swap_packs, PROVE, FAILED, "integrity", "repository."),
    Fault(
        "a snapshot deleted",
        remove_snapshot,
        PROVE,
        FAILED,
        "integrity",
        "repository.snapshots_gone",
    ),
    Fault("all objects gone", remove_everything, BACKUP, FAILED, "storage", "repository.lost"),
    Fault("an unknown key, backup", use_unknown_key, BACKUP, FAILED, "access", DENIED),
    Fault("a wrong secret, backup", use_wrong_secret, BACKUP, FAILED, "access", DENIED),
    Fault("a wrong secret, proof", use_wrong_secret, PROVE, BLIND, "access", DENIED),
    Fault("no key, backup", use_a_file_without_a_key, BACKUP, FAILED, "config", "s3.credentials"),
    Fault(
        "no bucket, backup",
        use_a_bucket_that_is_not_there,
        BACKUP,
        FAILED,
        "missing",
        "repository.no_bucket",
    ),
    Fault(
        "no bucket, proof",
        use_a_bucket_that_is_not_there,
        PROVE,
        BLIND,
        "missing",
        "repository.no_bucket",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_is_never_taken_for_a_success(fault: Fault, ward: Ward) -> None:
    fault.apply(ward)
    told = attempt(ward.site, fault.then)
    assert (told.outcome, told.closing.reason) == (fault.outcome, fault.reason), told.text
    assert any(key.startswith(fault.key) for key in told.keys), told.text
    assert "only+for/tests" not in told.text
    assert "not+the/secret" not in told.text
    nothing_left(ward.site)


def test_the_right_key_again_and_the_next_night_passes(ward: Ward) -> None:
    use_wrong_secret(ward)
    assert not attempt(ward.site, BACKUP).outcome.good
    (ward.site.base / "right-keys").replace(ward.site.base / "keys")
    (ward.site.base / "keys").chmod(0o600)
    told = attempt(ward.site, BACKUP)
    assert told.outcome.good, told.text


def test_the_doctor_names_a_refused_key(ward: Ward) -> None:
    use_unknown_key(ward)
    with ward.site.kit() as kit:
        found = {d.key: d.status for d in examine(kit) if d.subject == "main"}
    assert found == {DENIED: Status.CRITICAL}


# ------------------------------------------------------------------------------ the server stops


class Stopping(Nobody):
    """Ends the server when the first bytes of a phase are done."""

    def __init__(self, server: Server, phase: str, how: signal.Signals) -> None:
        self._server = server
        self._wanted = phase
        self._how = how
        self._there = False

    def phase(self, name: str, subject: str = "") -> None:
        self._there = self._there or name == self._wanted  # others begin beside it

    def advance(self, done: int, total: int) -> None:
        if self._there and done:
            self._server.stop(self._how)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (signal.SIGKILL, {"repository.unreachable"}),
        # On its way down it answers 500 for a while, and then no more.
        (signal.SIGTERM, {"repository.unreachable", "s3.failed"}),
    ],
    ids=["killed", "asked to end"],
)
def test_a_server_that_ends_while_it_is_read_fails_no_repository(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, how: signal.Signals, said: set[str]
) -> None:
    monkeypatch.setattr(door, "_PAUSE_SECONDS", 0.05)
    try:
        told = attempt(ward.site, PROVE, watcher=Stopping(ward.server, "read_back", how))
    finally:
        ward.server.start()
    assert (told.outcome, told.closing.reason) == (BLIND, "storage"), told.text
    assert said & set(told.keys), told.text
    nothing_left(ward.site)
    again = attempt(ward.site, PROVE)
    assert again.outcome.good, again.text


def test_a_silent_server_is_named_when_the_patience_of_restic_outlasts_ours(ward: Ward) -> None:
    with ward.site.kit() as kit:
        source = Source(ward.site.base / "password", "test-host", ("x",))
        ward.server.stop()
        try:
            with pytest.raises(StorageFailed) as told:
                kit.restic("main").backup(source, limits=Limits(timedelta(seconds=4)))
        finally:
            ward.server.start()
    assert told.value.key == "repository.unreachable"
    assert "connection refused" in told.value.detail
