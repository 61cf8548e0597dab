"""The unit as systemd reads it, and how far it is shut in."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import ROOT

UNIT = ROOT / "systemd" / "opsd.service"
# Ten times the score of `systemd-analyze security`. What is left is inherent: the network, the
# right to read what is backed up, nice for restores, and asking the kernel about its clock.
MOST_EXPOSED = 21


def told(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, timeout=60, check=False
    )


def unit(directory: Path, text: str) -> Path:
    """The unit with a program that exists on the machine of the test."""
    path = directory / UNIT.name
    path.write_text(text.replace("/opt/opsd/bin/opsd", sys.executable), encoding="utf-8")
    return path


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    path = unit(tmp_path, UNIT.read_text(encoding="utf-8"))
    found = told("systemd-analyze", "verify", "--recursive-errors=one", path)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("ProtectSystem=", "ProtectSytem="), ("WatchdogSec=30", "WatchdogSec=soon")],
)
def test_a_line_that_systemd_does_not_understand_would_be_told(
    right: str, wrong: str, tmp_path: Path
) -> None:
    path = unit(tmp_path, UNIT.read_text(encoding="utf-8").replace(right, wrong))
    found = told("systemd-analyze", "verify", "--recursive-errors=one", path)
    assert found.returncode != 0 or found.stderr


def test_the_service_is_shut_in(tmp_path: Path) -> None:
    path = unit(tmp_path, UNIT.read_text(encoding="utf-8"))
    found = told(
        "systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", path
    )
    assert found.returncode == 0, found.stdout


def test_what_programs_need_stays_allowed() -> None:
    """Each was missed when opsd ran in this unit: setpriv, the question about the clock, nice."""
    text = UNIT.read_text(encoding="utf-8")
    assert re.search(r"^SystemCallFilter=adjtimex clock_adjtime capset$", text, re.MULTILINE)
    assert "ProtectClock=" not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    assert "~@resources" not in text


def test_the_unit_starts_a_command_that_exists() -> None:
    text = UNIT.read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=/opt/opsd/bin/opsd (.*)$", text, re.MULTILINE)
    assert found is not None
    command, option, path = shlex.split(found[1])
    shown = told(sys.executable, "-m", "opsd", command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert option in shown.stdout
    assert path == "/etc/opsd/opsd.yaml"


def test_the_account_and_its_directories_are_made(tmp_path: Path) -> None:
    root = f"--root={tmp_path}"
    (tmp_path / "etc").mkdir()
    made = told("systemd-sysusers", root, ROOT / "sysusers.d" / "opsd.conf")
    assert made.returncode == 0, made.stderr
    account = (tmp_path / "etc" / "passwd").read_text(encoding="utf-8")
    assert re.search(
        r"^opsd:x:\d+:\d+:opsd backups:/var/lib/opsd:/\S*nologin$", account, re.MULTILINE
    )
    made = told("systemd-tmpfiles", "--create", root, ROOT / "tmpfiles.d" / "opsd.conf")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "etc" / "opsd").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "var" / "lib" / "opsd").stat().st_mode & 0o777 == 0o711
