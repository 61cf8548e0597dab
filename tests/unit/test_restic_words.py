"""What restic says, as it was recorded (tests/fixtures/restic), and what we take it for."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd.drivers.process import Completed
from opsd.drivers.restic import Restic, literal, pattern_line
from opsd.drivers.restic.facts import Progress, silent
from opsd.drivers.restic.words import (
    Messages,
    failure,
    parse_backup,
    parse_check,
    parse_restore,
    parse_snapshots,
)
from opsd.errors import (
    OpsdError,
    RepositoryDamaged,
    RepositoryLocked,
    RepositoryMissing,
    ScratchFull,
    SourceFailed,
    SpaceExhausted,
    StorageFailed,
    ToolFailed,
    WrongPassword,
)

RECORDED = sorted((Path(__file__).parents[1] / "fixtures" / "restic").glob("*.json"))
Heard = tuple[Messages, Completed]


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return found


def heard(stdout: list[str], stderr: list[str], exit_code: int) -> Heard:
    messages = Messages(silent)
    lines = [[line.encode() for line in stream] for stream in (stdout, stderr)]
    for line in (*lines[0], *lines[1]):
        messages.hear(line)
    out, err = (b"\n".join(stream) for stream in lines)
    return messages, Completed(("restic",), exit_code, out, err, timedelta(seconds=1))


def of(recorded: dict[str, Any], name: str) -> Heard:
    found = recorded[name]
    return heard(found["stdout"], found["stderr"], found["exit_code"])


def test_a_backup(recorded: dict[str, Any]) -> None:
    summary = parse_backup(*of(recorded, "backup"))
    assert len(summary.snapshot) == 64
    assert (summary.files, summary.bytes, summary.unread, summary.healed) == (2, 9, (), False)
    assert 0 < summary.added_bytes < 2000


def test_a_backup_that_could_not_read_a_file(recorded: dict[str, Any]) -> None:
    summary = parse_backup(*of(recorded, "backup-unreadable"))
    assert summary.unread == ("open /lab/src/b: permission denied",)
    assert not summary.healed


def test_snapshots(recorded: dict[str, Any]) -> None:
    first = min(parse_snapshots(of(recorded, "snapshots")[1].text), key=lambda s: s.at)
    assert (first.host, first.paths) == ("h", ("/lab/src",))
    assert first.tags == {"t", "u"}
    assert first.at.tzinfo is not None
    assert (first.files, first.bytes) == (2, 9)


@pytest.mark.parametrize("text", ["null", "[]"])
def test_no_snapshots(text: str) -> None:
    assert not list(parse_snapshots(text))


@pytest.mark.parametrize("text", ["", "[{", '[{"id": "ab"}]', '{"id": "ab"}', "zyx"])
def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(text: str) -> None:
    with pytest.raises(ToolFailed, match="cannot be understood"):
        list(parse_snapshots(text))


def test_a_restore(recorded: dict[str, Any]) -> None:
    summary = parse_restore("main", *of(recorded, "restore"))
    assert (summary.bytes, summary.failures) == (9, ())


def test_a_restore_of_damaged_data(recorded: dict[str, Any]) -> None:
    summary = parse_restore("main", *of(recorded, "restore-damaged"))
    assert "ciphertext verification failed" in summary.failures[0]


def test_a_check_that_finds_nothing(recorded: dict[str, Any]) -> None:
    assert parse_check("main", *of(recorded, "check")).complaints == ()


@pytest.mark.parametrize("name", ["check-damaged", "check-missing"])
def test_a_check_that_finds_damage(name: str, recorded: dict[str, Any]) -> None:
    assert "pack" in parse_check("main", *of(recorded, name)).complaints[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("wrong-password", WrongPassword),
        ("no-repository", RepositoryMissing),
        ("damaged-config", RepositoryDamaged),
        ("full", SpaceExhausted),
        ("no-source", SourceFailed),
    ],
)
def test_a_failure_is_named(name: str, kind: type[OpsdError], recorded: dict[str, Any]) -> None:
    told = failure("main", "backup", of(recorded, name)[1])
    assert type(told) is kind
    assert told.detail


@pytest.mark.parametrize(
    ("exit_code", "words", "kind"),
    [
        (11, "unable to create lock", RepositoryLocked),
        (1, "dial tcp: connection refused", StorageFailed),
        (-9, "", StorageFailed),
        (2, "goroutine 1 [running]", StorageFailed),
        (99, "something new", StorageFailed),
    ],
)
def test_whatever_else_fails_is_a_failure(
    exit_code: int, words: str, kind: type[OpsdError]
) -> None:
    assert type(failure("main", "backup", heard([], [words], exit_code)[1])) is kind


def test_a_backup_without_a_word_is_no_backup() -> None:
    for said in ([], ["{}"], ['{"message_type":"summary"}'], ["[1]"], ["{broken"]):
        with pytest.raises(ToolFailed):
            parse_backup(*heard(said, [], 0))


def test_an_incomplete_backup_without_a_reason_is_still_incomplete() -> None:
    said = ['{"message_type":"summary","snapshot_id":"x"}']
    assert parse_backup(*heard(said, ["some words"], 3)).unread == ("some words",)


def test_data_stored_again_is_told_as_healed() -> None:
    said = ['{"message_type":"summary","snapshot_id":"x"}']
    line = (
        '{"message_type":"error","error":{"message":"parts of file not found in the repository'
        ' index; storing the file again"},"item":"/a"}'
    )
    summary = parse_backup(*heard(said, [line], 3))
    assert (summary.healed, summary.unread) == (True, ())


def test_a_restore_without_a_word_failed() -> None:
    with pytest.raises(StorageFailed):
        parse_restore("main", *heard([], [], 1))


def test_a_restore_that_failed_without_a_reason_failed() -> None:
    said = ['{"message_type":"summary","files_restored":1}']
    assert parse_restore("main", *heard(said, ["words"], 1)).failures == ("words",)


def test_a_restore_to_a_full_disk_is_no_damage() -> None:
    said = ['{"message_type":"summary"}']
    line = '{"message_type":"error","error":{"message":"write /x: no space left on device"}}'
    with pytest.raises(ScratchFull):
        parse_restore("main", *heard(said, [line], 1))


def test_a_check_that_could_not_be_made_finds_nothing_good() -> None:
    with pytest.raises(StorageFailed):
        parse_check("main", *heard([], ["nothing known"], 1))


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"words", b"\xff\xfe", b'{"a":1}', b"null"])
def test_lines_that_are_no_messages_are_passed_over(line: bytes) -> None:
    messages = Messages(silent)
    messages.hear(line)
    assert (messages.summary, messages.errors) == ({}, [])


def test_progress_is_handed_on() -> None:
    seen: list[Progress] = []
    messages = Messages(seen.append)
    messages.hear(b'{"message_type":"status","bytes_done":3,"total_bytes":9}')
    assert (seen[0].bytes_done, seen[0].bytes_total) == (3, 9)


def test_patterns_mean_themselves() -> None:
    assert literal("/a*b?[c]\\$d") == "/a\\*b\\?\\[c\\]\\\\$d"
    assert pattern_line(b"/$a [\xff") == b"/$$a \\[\xff\n"
    assert pattern_line(b"/a \n") == b"/a??\n"
    assert pattern_line(b"/a\nb\r\xc2\xa0") == b"/a?b??\n"


def test_a_list_of_many_years_is_read_whole(tmp_path: Path) -> None:
    """Nothing is forgotten yet: four snapshots a night are 4 MiB of words in three years."""
    program = tmp_path / "restic"
    one = {"time": "2026-11-23T00:00:00Z", "paths": ["/x" * 300], "tags": ["opsd"]}
    listed = tmp_path / "listed"
    listed.write_text(json.dumps([{**one, "id": f"{number:064x}"} for number in range(12_000)]))
    program.write_text(f"#!/bin/sh\nexec cat {listed}\n")
    program.chmod(0o755)
    door = Restic("main", "/nowhere", tmp_path / "password", tmp_path / "cache", str(program))
    assert len(door.snapshots()) == 12_000
