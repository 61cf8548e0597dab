"""Whatever a file system may hold survives backup, proof and restore, whole and by parts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from opsd import assembly
from opsd.config.load import load
from opsd.drivers import tree
from opsd.drivers.restic import Piece
from opsd.manifest import FILE, Entry
from opsd.model import Evidence, Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit, Nobody
from opsd.tasks.prove import prove
from opsd.tasks.proving.bench import Bench
from tests.faults.telling import empty_repository
from tests.site import workplace

SET = "trees"
CONFIG = """\
language: en
demo: true
host: test-host
state: {base}/state
scratch: {base}/scratch
listen: 127.0.0.1:0
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB, lock_wait: 0s}}
backup_sets:
  trees:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {base}/tree, exclude: {exclude}}}
    prove: {{budget: {budget}, read_budget: {read}}}
"""

# Every name may also be that of a directory. Bytes that are no UTF-8 among them.
NASTY = (
    b"plain", b" leading", b"trailing ", b"\ttab\t", b"line\nbreak", b"end\n", b"cr\r", b"-dash",
    b"#comment", b"!not", b"$HOME", b"$$", b"${PATH}", b"[a-z]", b"[", b"]", b"*", b"**", b"?",
    b"back\\slash", b"\\", b"quote'\"", b"100%", b"~", b"a:b", b"caf\xc3\xa9", b"cafe\xcc\x81",
    b"\xff\xfe", b"\xe9", b"h\xe1\xbb\x93 s\xc6\xa1", b"\xc2\xa0", b"nbsp\xc2\xa0", b"\xe2\x80\xa8",
    b"\x01\x7f", b"x" * 255, b"a", b"a-", b"a.b", b"a0", b"...", b".hidden", b"{a,b}", b"^x",
    b"`id`",
)  # fmt: skip


@contextmanager
def kit_for(
    base: Path, budget: str = "1GiB", read: str = "1GiB", exclude: str = "[]"
) -> Iterator[Kit]:
    path = base / "opsd.yaml"
    path.write_text(CONFIG.format(base=base, budget=budget, read=read, exclude=exclude))
    kit = assembly.assemble(load(path))
    try:
        yield kit
    finally:
        kit.store.close()


@pytest.fixture
def base() -> Iterator[Path]:
    with workplace() as made:
        (made / "password").write_text("only for tests\n")
        (made / "password").chmod(0o600)
        empty_repository(made / "repository")
        (made / "tree").mkdir()
        yield made


def plant(top: Path, names: tuple[bytes, ...] = NASTY) -> None:
    """Files of nasty names, at the top and in directories of nasty names."""
    (top / "files").mkdir()
    for number, name in enumerate(map(os.fsdecode, names)):
        (top / "files" / name).write_bytes(b"%d " % number * (number + 1))
        (top / "directories" / name).mkdir(parents=True)
        (top / "directories" / name / name).write_bytes(b"inside %d" % number)


def faults(kit: Kit) -> tuple[Proof, Outcome, dict[str, object]]:
    """Prove, and what stood against it."""
    result = prove(kit, SET)
    found = {f.key: f.fields for f in result.closing.findings if f.severity > Severity.NOTE}
    return result.level, result.closing.outcome, dict(found)


GOOD: tuple[Proof, Outcome, dict[str, object]] = (Proof.PROVED, Outcome.PASSED, {})


def test_any_name_survives(base: Path) -> None:
    plant(base / "tree")
    with kit_for(base) as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD


def test_any_name_survives_a_proof_by_parts(base: Path) -> None:
    plant(base / "tree")
    total = sum(p.stat().st_size for p in (base / "tree").rglob("*") if p.is_file())
    with kit_for(base, budget=f"{total // 3}B") as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        files, covered = 0, list[int]()
        for _ in range(4):
            assert faults(kit) == GOOD
            run = kit.store.runs(Task.PROVE, SET)[0][0]
            body = kit.store.evidence(run.id, "proof")
            assert body is not None
            files += body["files"]
            parts = body["parts"]
            covered.append(body["trees"]["tree"]["covered"])
        assert parts == 4
        assert files == 2 * len(NASTY), "four turns of four parts are the whole, once"
        assert covered == [1, 2, 3, 4]
        assert body is not None
        assert "Cochran" in body["trees"]["tree"]["formula"]
        closing = kit.store.runs(Task.PROVE, SET)[0][1]
        assert closing is not None
        assert {"proof.sampled", "proof.covered"} <= {f.key for f in closing.findings}


def test_parts_without_a_file_are_passed_over(base: Path) -> None:
    (base / "tree" / "large").write_bytes(os.urandom(200_000))
    (base / "tree" / "small").write_bytes(b"small")
    with kit_for(base, budget="10KiB", read="10KiB") as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        for _ in range(3):
            assert faults(kit) == GOOD


def strange(top: Path) -> None:
    """Much of what is no plain file, spread over all parts."""
    for number in range(24):
        place = top / f"place {number}"
        place.mkdir(mode=0o700 + number)
        (place / "scan").write_bytes(os.urandom(4000 + number))
        (place / "again").hardlink_to(place / "scan")
        (place / "link").symlink_to(f"scan {number}")
        (place / "hollow").mkdir(mode=0o750)


def lead_elsewhere(place: Path) -> None:
    (place / "link").unlink()
    (place / "link").symlink_to("nowhere")


def part_the_names(place: Path) -> None:
    (place / "again").unlink()
    shutil.copy2(place / "scan", place / "again")


HARMS: dict[str, Callable[[Path], None]] = {
    "link": lead_elsewhere,
    "lost link": lambda place: (place / "link").unlink(),
    "hollow directory": lambda place: (place / "hollow").rmdir(),
    "mode of a directory": lambda place: place.chmod(0o777),
    "mode of a hollow one": lambda place: (place / "hollow").chmod(0o777),
    "two files of one": part_the_names,
}


@pytest.mark.parametrize("harm", HARMS)
def test_parts_see_what_is_no_plain_file(
    harm: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange(base / "tree")
    fetch = Bench.fetch

    def harmed(bench: Bench, member: str, piece: Piece) -> None:
        """As if the repository gave back something else, everywhere."""
        fetch(bench, member, piece)
        for place in piece.target.glob("place *") if member == "tree" else ():
            with suppress(FileNotFoundError):  # not all of a place is in one part
                HARMS[harm](place)

    with kit_for(base, budget="40KiB") as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD
        with monkeypatch.context() as broken:
            broken.setattr(Bench, "fetch", harmed)
            _, outcome, found = faults(kit)
        assert outcome is Outcome.FAILED
        assert {key.rpartition(".")[0] for key in found} == {"proof.files"}


def test_a_budget_of_time_follows_the_speed_of_the_last_proof(base: Path) -> None:
    for number in range(16):
        (base / "tree" / f"scan {number}").write_bytes(os.urandom(1 << 20))
    with kit_for(base, budget="1GiB, budget_time: 1s") as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD
        assert proved_parts(kit) == 1, "16 MiB in a second, as is supposed at first"
        slow = kit.store.runs(Task.PROVE, SET)[0][0]
        body = dict(kit.store.evidence(slow.id, "proof") or {})
        body["trees"] = {"tree": {**body["trees"]["tree"], "seconds": 4.0}}
        kit.store.add_evidence(Evidence(slow.id, kit.clock(), "proof", body))
        assert faults(kit) == GOOD
        assert proved_parts(kit) == 4


def proved_parts(kit: Kit) -> int:
    body = kit.store.evidence(kit.store.runs(Task.PROVE, SET)[0][0].id, "proof")
    assert body is not None
    return int(body["trees"]["tree"]["parts"])


def test_a_tree_of_empty_files_is_proved(base: Path) -> None:
    for name in ("one", "two"):
        (base / "tree" / name).touch()
    with kit_for(base) as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD


def test_what_is_left_out_is_left_out_by_its_plain_name(base: Path) -> None:
    plant(base / "tree", (b"$HOME", b"q", b"other", b"a b", b" a"))
    exclude = '["files/$HOME", "directories/$HOME", "files/a b", "directories/ a"]'
    with kit_for(base, exclude=exclude) as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD
        listed = [e.name for e in stored(kit)]
    assert "files/q" in listed
    assert not {"files/$HOME", "directories/$HOME/", "files/a b", "directories/ a/"} & set(listed)
    assert "directories/q/q" in listed


def stored(kit: Kit) -> list[Entry]:
    """The tree as it comes back."""
    point = kit.store.points(SET)[0]
    (member,) = point.members
    target = kit.config.state / "back"
    subprocess.run(
        ("restic", "-q", "restore", f"{member.snapshot}:{member.root}", "--target", target),
        check=True,
        env={
            **os.environ,
            "RESTIC_REPOSITORY": kit.config.repositories["main"].url,
            "RESTIC_PASSWORD_FILE": str(kit.config.repositories["main"].password.path()),
        },
    )
    return list(tree.walk(target))


def test_every_kind_of_entry_survives(base: Path) -> None:
    top = base / "tree"
    for name in ("empty directory", "sticky", "setgid"):
        (top / name).mkdir()
    (top / "sticky").chmod(0o1777)
    (top / "setgid").chmod(0o2750)
    for name, mode in (("setuid", 0o4755), ("write only", 0o200), ("nothing", 0o000)):
        (top / name).write_text(name)
        (top / name).chmod(mode)
    (top / "first").write_text("one content")
    (top / "second").hardlink_to(top / "first")
    (top / "empty directory" / "third").hardlink_to(top / "first")
    (top / "link").symlink_to("first")
    (top / "dangling").symlink_to("nowhere/at all")
    (top / "to a directory").symlink_to("sticky")
    (top / "to itself").symlink_to("to itself")
    (top / "to bytes").symlink_to(os.fsdecode(b"bytes \xff\n"))
    with (top / "sparse").open("wb") as sink:
        sink.truncate(8 << 20)
        sink.seek(4 << 20)
        sink.write(b"island")
    (top / "empty").touch()
    os.mkfifo(top / "fifo", 0o640)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(top / "socket"))
    for name, seconds in (("ancient", -2_000_000_000), ("future", 6_000_000_000), ("zero", 0)):
        (top / name).write_text(name)
        os.utime(top / name, (seconds, seconds))
    (top / "precise").write_text("ns")
    os.utime(top / "precise", ns=(1, 1_700_000_000_123_456_789))
    os.setxattr(top / "empty", "user.note", b"any \x00 bytes \xff")
    subprocess.run(("setfacl", "-m", "u:1234:r,g:77:rwx", top / "first"), check=True)
    subprocess.run(("setfacl", "-d", "-m", "u:1234:rx", top / "sticky"), check=True)
    with kit_for(base) as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD
        back = {entry.path: entry for entry in stored(kit)}
    for entry in tree.walk(top):
        other = back.pop(entry.path)
        assert alike(entry) == alike(other)
    assert not back


def alike(entry: Entry) -> Entry:
    """Without what a copy made by somebody else cannot have."""
    bare = entry._replace(ctime=0, inode=0, links=0, uid=0, gid=0)
    return bare if entry.kind == FILE else bare._replace(mtime=0)


class Office(Nobody):
    """A living tree: what its people do when a phase begins."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._surveys = 0

    def phase(self, name: str, subject: str = "") -> None:
        if name == "upload" and subject == "tree":
            self._while_it_is_read()
        if name == "survey":
            self._surveys += 1
            if self._surveys == 2:
                (self._top / "came and went").unlink()

    def advance(self, done: int, total: int) -> None:
        """Nothing."""

    def _while_it_is_read(self) -> None:
        (self._top / "came and went").write_text("an upload under another name")
        (self._top / "came").write_text("a new scan")
        (self._top / "went").unlink()
        (self._top / "grew").write_text("more than it was")
        (self._top / "shut").chmod(0o600)
        (self._top / "private").chmod(0o700)
        (self._top / "link").unlink()
        (self._top / "link").symlink_to("elsewhere")
        (self._top / "was a file").unlink()
        (self._top / "was a file").mkdir()


def test_a_tree_that_lives_on_while_it_is_read(base: Path) -> None:
    top = base / "tree"
    for name in ("stays", "went", "grew", "shut", "was a file"):
        (top / name).write_text(name)
        (top / name).chmod(0o644)
    (top / "private").mkdir(mode=0o755)
    (top / "link").symlink_to("somewhere")
    with kit_for(base) as kit:
        office = Kit(kit.config, kit.store, kit.clock, kit.stop, Office(top))
        closing = back_up(office, SET).closing
        assert closing.outcome is Outcome.SUCCEEDED
        told = {f.key: f.fields.get("names") for f in closing.findings}
        assert told["files.appeared"] == ["came", "was a file/"]
        assert told["files.vanished"] == ["was a file", "went"]
        assert told["files.changed"] == ["grew", "link", "private/", "shut"]
        unsteady = {"member": "tree", "count": 2, "names": ["grew", "shut"]}
        assert faults(kit) == (*GOOD[:2], {"proof.files.unsteady": unsteady})
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        assert faults(kit) == GOOD
