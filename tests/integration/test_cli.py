"""The real command in a process of its own, on files and a real repository."""

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from opsd.assembly import STORE
from opsd.store import Store
from tests.site import ROOT, workplace

CONFIG = """\
language: en
demo: true
host: test-host
state: {base}/state
restic: restic
repositories:
  main:
    url: {base}/repository
    password_file: {base}/password
    min_free: 1MiB
    lock_wait: 30s
backup_sets:
  papers:
    title: Hồ sơ giấy
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: {base}/scans}}
      letters: {{kind: files, path: {base}/letters}}
"""


class Office:
    """Two trees of files, a repository and a configuration; its history after one backup."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.config = base / "opsd.yaml"

    def fill(self) -> None:
        for tree in ("scans", "letters"):
            (self.base / tree / "2026").mkdir(parents=True)
            for number in range(12):
                path = self.base / tree / "2026" / f"hồ sơ {number}.pdf"
                path.write_bytes(os.urandom(3000))
        (self.base / "password").write_text("only for tests\n")
        (self.base / "password").chmod(0o600)
        self.config.write_text(CONFIG.format(base=self.base), encoding="utf-8")

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "opsd", *arguments],
            stdout=settings.pop("stdout", subprocess.PIPE),
            stderr=settings.pop("stderr", subprocess.PIPE),
            text=True,
            cwd=ROOT,
            env={**os.environ, "OPSD_CONFIG": str(self.config), "LC_ALL": "en_US.UTF-8"},
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as child:
            out, err = child.communicate(timeout=120)
        return child.returncode, out, err

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the JSON answer; nothing else may be said."""
        code, out, err = self.run(*arguments, "--json")
        assert err == ""
        return code, json.loads(out)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody of ours works on the repository."""
        path = self.base / "state" / "locks" / "main.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


@pytest.fixture
def office() -> Iterator[Office]:
    with workplace() as base:
        made = Office(base)
        made.fill()
        yield made


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """An office after one backup that was proved, to be copied."""
    with workplace() as base:
        made = Office(base)
        made.fill()
        code, out, err = made.run("backup", "papers")
        assert code == 0, err
        assert "PROVED" in out
        yield base


@pytest.fixture
def proved(template: Path) -> Iterator[Office]:
    """The same place again: paths are part of what is tested, so it is put back, not copied."""
    with workplace() as safe:
        shutil.copytree(template, safe / "copy", symlinks=True)
        try:
            yield Office(template)
        finally:
            for child in template.iterdir():
                shutil.rmtree(child) if child.is_dir() else child.unlink()
            shutil.copytree(safe / "copy", template, symlinks=True, dirs_exist_ok=True)


pytestmark = pytest.mark.xdist_group("cli")


def test_a_copy_beside_its_source_is_refused_before_anything_is_written(office: Office) -> None:
    text = office.config.read_text(encoding="utf-8")
    office.config.write_text(text.replace("demo: true", "demo: false"), encoding="utf-8")
    code, body = office.ask("backup", "papers")
    assert code == 2
    assert "same device" in str(body["error"]["mistakes"])
    assert not (office.base / "repository").exists()


def test_a_day_with_opsd(office: Office) -> None:
    """Check, back up without a proof, look, prove, look again."""
    assert office.run("config", "check")[0] == 0
    code, body = office.ask("status")
    assert (code, body["status"]) == (1, "unknown")

    code, body = office.ask("backup", "papers", "--no-prove")
    assert code == 0
    assert body["backup"]["good"] is True
    assert body["backup"]["point"]["complete"] is True
    assert body["proof"] is None
    point = body["backup"]["point"]["id"]

    code, body = office.ask("status", "papers")
    assert (code, body["sets"]["papers"]["proved"]["status"]) == (1, "unknown")
    assert body["sets"]["papers"]["newest"]["status"] == "ok"

    code, body = office.ask("prove", "papers", "--point", point)
    assert code == 0
    assert body["proof"]["level"] == "proved"
    assert body["proof"]["figures"]["files"] == 24

    code, body = office.ask("status", "papers")
    assert (code, body["status"]) == (0, "ok")
    assert body["sets"]["papers"]["restore"]["seconds"] > 0


def test_points_are_told_by_the_history_and_by_the_repository_alone(proved: Office) -> None:
    code, body = proved.ask("points", "papers")
    assert code == 0
    [point] = body["sets"]["papers"]
    assert point["level"] == "proved"
    shutil.rmtree(proved.base / "state")
    code, body = proved.ask("points", "--repository", "main")
    assert code == 0
    assert [found["id"] for found in body["points"]] == [point["id"]]
    assert not (proved.base / "state" / "opsd.sqlite").exists()


def test_what_a_person_sees_fits_and_says_it_all(proved: Office) -> None:
    for language, expected in (("vi", "Điểm đã chứng minh"), ("en", "Newest proved")):
        code, out, _ = proved.run("status", "--language", language)
        assert code == 0
        assert expected in out
        assert "Hồ sơ giấy" in out
        assert max(map(len, out.splitlines())) <= 80
    code, out, _ = proved.run("points", "papers", "--language", "vi")
    assert "đã chứng minh" in out


def test_a_lost_history_comes_back_from_the_repository(proved: Office) -> None:
    shutil.rmtree(proved.base / "state")
    assert proved.ask("status")[0] == 1
    assert proved.ask("store", "rebuild") == (0, {"points": 1, "proofs": 1, "findings": []})
    code, body = proved.ask("status")
    assert (code, body["status"]) == (1, "unknown")  # nobody knows when the objects were read
    assert proved.ask("repository", "read", "papers")[0] == 0
    code, body = proved.ask("status")
    assert (code, body["status"]) == (0, "ok")
    assert proved.ask("store", "rebuild") == (0, {"points": 0, "proofs": 0, "findings": []})


def test_doctor_finds_nothing_critical_here_and_names_what_it_looked_at(proved: Office) -> None:
    code, body = proved.ask("doctor")
    subjects = {found["subject"] for found in body["findings"]}
    assert code == 0, body
    assert {"restic", "config", "papers.scans", "scratch", "clock", "main"} <= subjects


def test_doctor_tells_each_damage_with_its_remedy(proved: Office) -> None:
    (proved.base / "password").chmod(0o644)
    shutil.rmtree(proved.base / "letters")
    (proved.base / "repository").rename(proved.base / "elsewhere")
    (proved.base / "state" / "scratch" / "20260101T000000Z-0a1b2c").mkdir(
        parents=True, exist_ok=True
    )
    code, body = proved.ask("doctor")
    found = {one["key"]: one["text"] for one in body["findings"] if one["status"] != "ok"}
    assert code == 1
    assert {"config.secret_open", "source.missing", "repository.lost"} <= found.keys()
    assert "doctor.leftovers" in found
    assert "what to do: " in found["repository.lost"]


def test_doctor_works_without_a_history_that_can_be_opened(proved: Office) -> None:
    (proved.base / "state" / "opsd.sqlite").write_text("this is no database " * 100)
    code, body = proved.ask("doctor")
    assert code == 1
    assert body["findings"][0]["key"] == "store.failed"
    assert any(found["subject"] == "main" for found in body["findings"])


# ------------------------------------------------------------------------------------- restoring


def test_a_restore_brings_back_what_was_backed_up(proved: Office) -> None:
    target = proved.base / "back"
    code, body = proved.ask("restore", "papers", "--to", str(target))
    assert code == 0
    assert body["restored"]["good"] is True
    assert body["restored"]["files"] == 24
    for tree in ("scans", "letters"):
        for path in (proved.base / tree / "2026").iterdir():
            assert (target / tree / "2026" / path.name).read_bytes() == path.read_bytes()


def test_a_restore_on_a_bare_machine_needs_a_repository_and_its_password(proved: Office) -> None:
    proved.config.unlink()
    shutil.rmtree(proved.base / "state")
    repository = ("--repository-url", str(proved.base / "repository"))
    password = ("--password-file", str(proved.base / "password"))
    target = str(proved.base / "back")
    code, out, err = proved.run(
        "restore", "papers", "--member", "scans", "--to", target, *repository, *password
    )
    assert code == 0, err
    assert "RESTORED" in out
    assert len(list((proved.base / "back" / "2026").iterdir())) == 12


def test_a_dry_run_writes_nothing(proved: Office) -> None:
    target = proved.base / "back"
    code, body = proved.ask("restore", "papers", "--to", str(target), "--dry-run")
    assert code == 0
    assert [step["member"] for step in body["plan"]["steps"]]
    assert body["restored"] is None
    assert not target.exists()


def test_a_restore_over_the_living_source_is_refused_with_6(proved: Office) -> None:
    code, body = proved.ask("restore", "papers", "--to", str(proved.base))
    assert (code, body["error"]["reason"]) == (6, "refused")


# ------------------------------------------------------------------------------------ exit codes


def test_a_member_that_is_missing_makes_the_backup_partial(office: Office) -> None:
    shutil.rmtree(office.base / "letters")
    code, body = office.ask("backup", "papers", "--no-prove")
    assert (code, body["backup"]["outcome"]) == (3, "partial")
    assert office.ask("status")[1]["sets"]["papers"]["last_backup"]["status"] == "critical"


def test_a_repository_that_is_gone_proves_nothing_and_ends_with_4(proved: Office) -> None:
    (proved.base / "repository").rename(proved.base / "elsewhere")
    code, body = proved.ask("prove", "papers")
    assert (code, body["error"]["reason"]) == (4, "missing")
    code, body = proved.ask("status")
    assert body["sets"]["papers"]["last_proof"]["outcome"] == "could_not_verify"


def test_a_damaged_repository_ends_a_proof_with_1(proved: Office) -> None:
    pack = max((proved.base / "repository" / "data").rglob("*"), key=lambda p: p.stat().st_size)
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    code, body = proved.ask("prove", "papers")
    assert (code, body["error"]["reason"]) == (1, "integrity")


def test_a_busy_repository_ends_with_7(proved: Office) -> None:
    text = proved.config.read_text(encoding="utf-8").replace("lock_wait: 30s", "lock_wait: 0s")
    proved.config.write_text(text, encoding="utf-8")
    with proved.busy():
        code, body = proved.ask("backup", "papers")
    assert (code, body["error"]["reason"]) == (7, "locked")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order_and_twice_is_not_worse(
    proved: Office, number: signal.Signals
) -> None:
    with proved.busy(), proved.start("backup", "papers") as child:
        _await_run(proved)
        child.send_signal(number)
        child.send_signal(number)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "stopping cleanly" in err
    assert "Traceback" not in err
    code, body = proved.ask("status")
    assert code == 1
    assert body["sets"]["papers"]["last_backup"]["outcome"] == "interrupted"
    assert body["sets"]["papers"]["running"] == []


def test_a_run_under_way_is_told_and_a_dead_one_is_never_ok(proved: Office) -> None:
    with proved.busy(), proved.start("backup", "papers") as child:
        _await_run(proved)
        _, body = proved.ask("status")
        [running] = body["sets"]["papers"]["running"]
        assert running["pid"] == child.pid
        child.kill()
        child.communicate(timeout=60)
    code, body = proved.ask("status")
    assert code == 1
    assert body["sets"]["papers"]["running"] == []
    assert body["sets"]["papers"]["last_backup"]["outcome"] == "interrupted"


def _await_run(office: Office) -> None:
    """Until a run of this office is open and waits for the repository."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(Store(office.base / "state" / STORE)) as store:
            if store.unclosed_runs():
                return
        time.sleep(0.05)
    pytest.fail("no run began")


# ---------------------------------------------------------------------------- terminals and pipes


def test_a_terminal_sees_the_progress_redrawn_and_then_the_answer(office: Office) -> None:
    ours, theirs = pty.openpty()
    with office.start("backup", "papers", "--no-prove", stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        seen = _all_of(ours)
    assert child.returncode == 0
    assert "\r\x1b[K" in seen
    assert "Backup of papers: succeeded" in seen.rpartition("\x1b[K")[2]


def test_a_reader_that_has_seen_enough_is_no_error(proved: Office) -> None:
    command = f"{sys.executable} -m opsd points --language en | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "OPSD_CONFIG": str(proved.config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("papers: 1 points")
    assert "Traceback" not in done.stderr


def _all_of(terminal: int) -> str:
    seen = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(terminal)
    return seen.decode()
