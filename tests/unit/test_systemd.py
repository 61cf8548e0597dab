"""What the service manager is told, and in which words the log speaks."""

import io
import json
import logging
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import logs
from opsd.drivers import systemd


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(5)
        yield found


def test_the_manager_hears_what_happens(ear: socket.socket) -> None:
    manager = systemd.take({"NOTIFY_SOCKET": ear.getsockname()})
    manager.ready("next: tonight")
    assert ear.recv(4096) == b"READY=1\nSTATUS=next: tonight"
    manager.alive("next: tonight")
    assert ear.recv(4096) == b"WATCHDOG=1\nSTATUS=next: tonight"
    manager.reloading()
    assert ear.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    manager.stopping()
    assert ear.recv(4096) == b"STOPPING=1"


def test_an_abstract_address_is_understood() -> None:
    name = f"opsd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}")
        ear.settimeout(5)
        systemd.take({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert ear.recv(4096) == b"STOPPING=1"


def test_programs_that_are_started_do_not_speak_in_our_name(ear: socket.socket) -> None:
    environment = {
        "NOTIFY_SOCKET": ear.getsockname(),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    assert systemd.take(environment).watchdog == timedelta(seconds=30)
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "vsock:2:1234"},
        {"NOTIFY_SOCKET": "/nobody/listens/here"},
    ],
)
def test_without_a_manager_nothing_is_told(environment: dict[str, str]) -> None:
    manager = systemd.take(environment)
    assert manager.watchdog is None
    manager.ready("next: tonight")


def lines(prefixed: bool, *records: logging.LogRecord) -> list[str]:
    return [logs.JsonLines(prefixed=prefixed).format(record) for record in records]


def record(level: int, text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("opsd.daemon", level, __file__, 1, text, arguments, None)


def test_a_log_line_is_one_json_object_with_what_was_given() -> None:
    given = record(logging.WARNING, "%s: late\nby two lines", "dossiers")
    given.backup_set = "dossiers"
    (line,) = lines(False, given)
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "warning",
        "logger": "opsd.daemon",
        "message": "dossiers: late\nby two lines",
        "backup_set": "dossiers",
    }


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, "<2>"),
        (logging.ERROR, "<3>"),
        (logging.WARNING, "<4>"),
        (logging.INFO, "<6>"),
        (logging.DEBUG, "<7>"),
    ],
)
def test_the_journal_is_told_the_priority(level: int, priority: str) -> None:
    (line,) = lines(True, record(level, "x"))
    assert line.startswith(priority + "{")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "environment", "machine"),
    [
        (Terminal(), {}, False),
        (io.StringIO(), {}, True),
        (Terminal(), {"JOURNAL_STREAM": "1:2"}, True),
    ],
)
def test_a_person_reads_text_and_a_machine_json(
    out: io.StringIO, environment: dict[str, str], machine: bool
) -> None:
    assert isinstance(logs._formatter(out, environment), logs.JsonLines) is machine


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as stream:
        facts = os.fstat(stream.fileno())
        assert logs._is_journal(stream, f"{facts.st_dev}:{facts.st_ino}")
        assert not logs._is_journal(stream, f"{facts.st_dev}:{facts.st_ino + 1}")
