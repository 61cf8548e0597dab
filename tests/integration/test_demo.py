"""The demo's dossier system: consistent, the same by seed, careful with directories of others."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opsd.demo.__main__ import main
from opsd.demo.dataset import Scale
from opsd.demo.front import Front
from opsd.demo.psql import ask, feeding
from opsd.demo.stage import SYSTEM
from opsd.demo.stray import stray
from opsd.demo.system import DossierSystem
from opsd.errors import DatabaseFailed, OpsdError, Refused, UsageError
from tests.site import workplace

pytestmark = pytest.mark.xdist_group("demo")

SCALE = Scale(dossiers=80, mean_scan_bytes=3_000)
TABLES = ("agency", "procedure", "dossier", "progress_step", "attachment", "signed_receipt")


@pytest.fixture(scope="session")
def living() -> Iterator[DossierSystem]:
    """A running system, for tests that only read."""
    with workplace() as base, running(DossierSystem(base / "living", SCALE)) as system:
        yield system


@pytest.fixture
def base() -> Iterator[Path]:
    """A directory of one's own."""
    with workplace() as path:
        yield path


@pytest.fixture
def copied(living: DossierSystem, base: Path) -> Iterator[DossierSystem]:
    """A running copy of the system, for tests that change it."""
    with running(copy_of(living, base / SYSTEM)) as system:
        yield system


@contextmanager
def running(system: DossierSystem) -> Iterator[DossierSystem]:
    system.create()
    system.start()
    try:
        yield system
    finally:
        system.stop()


def copy_of(system: DossierSystem, target: Path) -> DossierSystem:
    """A stopped copy; the origin is stopped while it is copied."""
    system.stop()
    try:
        subprocess.run(["cp", "-a", system.directory, target], check=True)
    finally:
        system.start()
    return DossierSystem(target, system.scale)


def rows(system: DossierSystem, query: str) -> list[tuple[str, ...]]:
    return ask(system.connection, query)


def count(system: DossierSystem, query: str) -> int:
    return int(rows(system, f"SELECT count(*) FROM {query}")[0][0])  # noqa: S608  (our own text)


def content(system: DossierSystem) -> dict[str, str]:
    """A digest of every table and of the tree."""
    whole = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t)) FROM"
    found = {table: rows(system, f"{whole} {table} t")[0][0] for table in TABLES}
    found["scans"] = hashlib.sha256(repr(sorted(files(system).items())).encode()).hexdigest()
    return found


def files(system: DossierSystem) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file of the tree, by its path below the root."""
    return {
        path.relative_to(system.scans).as_posix(): (
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in system.scans.rglob("*")
        if path.is_file()
    }


def attachments(system: DossierSystem) -> dict[str, tuple[int, str]]:
    found = rows(system, "SELECT path, size, sha256 FROM attachment")
    return {path: (int(size), sha256) for path, size, sha256 in found}


def assert_consistent(system: DossierSystem) -> None:
    named = attachments(system)
    assert len(named) > SCALE.dossiers
    assert named == files(system)
    assert not list((system.directory / "work").iterdir())
    steps = "SELECT s.status FROM progress_step s WHERE s.dossier_id = d.id ORDER BY ordinal DESC"
    assert count(system, f"dossier d WHERE d.status IS DISTINCT FROM ({steps} LIMIT 1)") == 0
    assert rows(system, "SELECT last_value FROM dossier_number") == rows(
        system, "SELECT max(id) FROM dossier"
    )


def ask_front(front: Front, method: str, path: str) -> tuple[int, str]:
    host = front.address.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=10)) as connection:
        connection.request(method, path, body=b"ten=a&mat-khau=b" if method == "POST" else None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


# ------------------------------------------------------------------------------------ what it holds


def test_every_attachment_is_one_file_and_every_file_one_attachment(living: DossierSystem) -> None:
    assert_consistent(living)


def test_the_database_is_one_of_a_real_office(living: DossierSystem) -> None:
    facts = rows(
        living,
        """
        SELECT current_setting('data_checksums'), current_setting('listen_addresses'),
            (SELECT count(*) FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'),
            (SELECT count(*) FROM pg_index WHERE indexprs IS NOT NULL),
            (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
            (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dossier_%'),
            (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated)
        """,
    )
    assert facts == [("on", "", "1", "1", "1", "3", "0")]
    assert count(living, "dossier WHERE words @@ to_tsquery('simple', 'mẫu')") == SCALE.dossiers


def test_the_reading_role_sees_no_names(living: DossierSystem) -> None:
    reader = f"{living.connection} user=dossier_reader"
    assert ask(reader, "SELECT count(*) FROM dossier_summary") == [(str(SCALE.dossiers),)]
    with pytest.raises(DatabaseFailed, match="permission denied"):
        ask(reader, "SELECT applicant FROM dossier")


def test_a_second_system_of_the_same_seed_is_the_same(living: DossierSystem, base: Path) -> None:
    with running(DossierSystem(base / "twin", SCALE)) as twin:
        assert content(twin) == content(living)


def test_a_feed_that_breaks_off_leaves_nothing(living: DossierSystem, base: Path) -> None:
    before = count(living, "agency")

    def feed() -> None:
        with feeding(living.connection, base) as stream:
            stream.write("COPY agency (code, name) FROM STDIN;\nX\tnửa chừng\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed()
    assert count(living, "agency") == before


def test_a_refused_feed_says_why(living: DossierSystem, base: Path) -> None:
    with (
        pytest.raises(DatabaseFailed, match="does not exist"),
        feeding(living.connection, base) as stream,
    ):
        stream.write("SELECT no_such_column;\n")
    with pytest.raises(DatabaseFailed), feeding(f"host={base}", base):
        pass


# ------------------------------------------------------------------------------------------- a day


def test_a_day_adds_and_changes_and_stays_consistent(copied: DossierSystem) -> None:
    before, old_files = rows(copied, "SELECT id, status, updated_at FROM dossier"), files(copied)
    day = copied.let_a_day_pass(1, share=0.2)
    assert (day.arrived, day.changed, day.replaced) == (8, 8, 2)
    after = rows(copied, "SELECT id, status, updated_at FROM dossier")
    assert len(after) == len(before) + day.arrived
    assert len(set(before) - set(after)) == day.changed
    assert count(copied, "attachment WHERE replaced_by IS NOT NULL") == day.replaced
    assert old_files.items() < files(copied).items(), "a scan was changed or removed"
    assert count(copied, "dossier WHERE code LIKE 'H99.MAU-20261101-%'") == day.arrived
    assert_consistent(copied)


def test_a_day_is_the_same_by_seed(copied: DossierSystem, base: Path) -> None:
    twin = copy_of(copied, base / "twin")
    for day in (copied.next_day(), 2, 3):
        copied.let_a_day_pass(day, share=0.1)
    with running(twin):
        for day in (1, 2, 3):
            twin.let_a_day_pass(day, share=0.1)
        assert content(twin) == content(copied)
        assert twin.next_day() == 4


# ------------------------------------------------------------------------------------ the web front


def test_the_front_answers_each_address(living: DossierSystem) -> None:
    front = Front(living)
    front.start()
    try:
        status, page = ask_front(front, "GET", "/dang-nhap")
        assert status == 200
        assert "Mật khẩu" in page
        assert ask_front(front, "GET", "/suc-khoe")[0] == 200
        code = rows(living, "SELECT code FROM dossier WHERE id = 7")[0][0]
        status, text = ask_front(front, "GET", f"/ho-so/{code}")
        assert status == 200
        found = json.loads(text)
        assert found["code"] == code
        assert found["steps"] == count(living, "progress_step WHERE dossier_id = 7")
        assert found["attachments"] == count(living, "attachment WHERE dossier_id = 7")
        assert "Mẫu 0" not in text
        for missing in (
            "/ho-so/H99.MAU-20261101-999999",
            "/ho-so/'%20OR%201=1",
            "/x",
            "/ho-so/%00",
        ):
            assert ask_front(front, "GET", missing)[0] == 404, missing
    finally:
        front.stop()
    assert front.address == ""


def test_every_login_is_refused(living: DossierSystem) -> None:
    front = Front(living)
    front.start()
    try:
        status, page = ask_front(front, "POST", "/dang-nhap")
        assert status == 401
        assert "không đúng" in page
    finally:
        front.stop()


def test_the_front_says_which_part_is_broken(copied: DossierSystem) -> None:
    front = Front(copied)
    front.start()
    try:
        shutil.move(copied.scans, copied.directory / "elsewhere")
        status, text = ask_front(front, "GET", "/suc-khoe")
        assert (status, json.loads(text)) == (
            503,
            {"status": "failed", "database": "ok", "scans": "failed"},
        )
        copied.stop()
        status, text = ask_front(front, "GET", "/suc-khoe")
        assert (status, json.loads(text)["database"]) == (503, "failed")
        assert ask_front(front, "GET", "/ho-so/H99.MAU-20261101-000001")[0] == 503
    finally:
        front.stop()


# ------------------------------------------------------------------------------ making and removing


def test_a_complete_system_is_not_made_again(living: DossierSystem) -> None:
    newest = max(path.stat().st_mtime for path in living.scans.rglob("*"))
    DossierSystem(living.directory, SCALE).create()
    assert max(path.stat().st_mtime for path in living.scans.rglob("*")) == newest
    assert DossierSystem.at(living.directory).scale == SCALE


def test_another_scale_in_the_same_directory_is_refused(living: DossierSystem) -> None:
    with pytest.raises(Refused, match="another scale"):
        DossierSystem(living.directory, Scale(dossiers=81)).create()


def test_a_second_server_on_the_same_data_is_refused(living: DossierSystem) -> None:
    with pytest.raises(Refused, match=str(living.cluster.pid)):
        DossierSystem.at(living.directory).start()


def test_a_killed_creation_starts_over(base: Path) -> None:
    directory = base / SYSTEM
    argv = [sys.executable, "-m", "opsd.demo", "--directory", str(base)]
    making = subprocess.Popen([*argv, "create", "--dossiers", "100000"])
    deadline = time.monotonic() + 60
    while not any((directory / "scans").rglob("*.pdf")) and time.monotonic() < deadline:
        time.sleep(0.02)
    making.kill()
    assert making.wait() == -signal.SIGKILL
    with pytest.raises(UsageError):
        DossierSystem.at(directory)
    with running(DossierSystem(directory, SCALE)) as system:
        assert_consistent(system)


def test_a_foreign_directory_is_left_alone(base: Path) -> None:
    base.joinpath("letter.txt").write_text("của người khác")
    for refused in (DossierSystem(base).create, DossierSystem(base).remove):
        with pytest.raises(Refused, match="not made by the demo"):
            refused()
    assert [path.name for path in base.iterdir()] == ["letter.txt"]


def test_a_link_to_somewhere_is_left_alone(base: Path) -> None:
    (base / "target").mkdir()
    (base / "link").symlink_to(base / "target")
    with pytest.raises(Refused):
        DossierSystem(base / "link").create()
    assert not list((base / "target").iterdir())


def test_cleaning_stops_what_another_process_serves(
    copied: DossierSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    copied.stop()
    assert copied.directory.name == SYSTEM
    directory = ["--directory", str(copied.directory.parent)]
    serving = subprocess.Popen(
        [sys.executable, "-m", "opsd.demo", *directory, "serve"], stdout=subprocess.PIPE, text=True
    )
    assert serving.stdout is not None
    with serving.stdout as said:
        assert "/dang-nhap" in said.readline()
        assert main([*directory, "--language=en", "day"]) == 0
        assert "day 1 has passed" in capsys.readouterr().out
        server = stray(copied.cluster.data)
        assert server is not None
        assert main([*directory, "clean"]) == 0
        assert serving.wait(10) == 0
    assert not copied.directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_command_without_a_system_says_what_to_do(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--directory", str(base / "none"), "day"]) == 1
    assert "python -m opsd.demo create" in capsys.readouterr().err


def test_the_failures_are_ours(base: Path) -> None:
    with pytest.raises(OpsdError):
        ask(f"host={base} dbname=dossiers", "SELECT 1")
    assert not DossierSystem(base / "none").answers
