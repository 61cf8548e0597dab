"""What restic says, understood: messages on both streams, exit codes, and what only text tells.

What each means was tried on restic 0.18 and 0.19 (docs/restic.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from opsd import errors
from opsd.drivers import process
from opsd.drivers.restic.facts import (
    BackupSummary,
    CheckReport,
    OnProgress,
    Progress,
    RestoreSummary,
    Snapshot,
)
from opsd.keeping import Lock

# restic's manual, "Scripting", exit codes: an unknown code is a failure.
INCOMPLETE = 3
_FAILURES: Mapping[int, tuple[type[errors.StorageFailed], str]] = {
    10: (errors.RepositoryMissing, "repository.missing"),
    11: (errors.RepositoryLocked, "repository.locked"),
    12: (errors.WrongPassword, "repository.wrong_password"),
}
# What only the text tells, most telling first.
_TELLING: Sequence[tuple[re.Pattern[str], type[errors.OpsdError], str]] = (
    (
        re.compile(
            r"(?i)access ?denied|access key id|signature we calculated|no credentials found"
        ),
        errors.AccessDenied,
        "repository.denied",
    ),
    (
        re.compile(r"Resolving password failed"),
        errors.WrongPassword,
        "repository.password_unreadable",
    ),
    (re.compile(r"invalid lock file"), errors.LockUnreadable, "lock.prevents"),
    (re.compile(r"bucket does not exist"), errors.BucketMissing, "repository.no_bucket"),
    (
        re.compile(r"connection refused|no such host|i/o timeout|no route to host|timed out"),
        errors.StorageFailed,
        "repository.unreachable",
    ),
    (re.compile(r"no space left on device|disk quota"), errors.SpaceExhausted, "repository.full"),
    (
        re.compile(r"all source directories/files do not exist"),
        errors.SourceFailed,
        "source.vanished",
    ),
    (
        re.compile(
            r"ciphertext verification failed|unexpected pack|invalid data returned|"
            r"not found in index|not found in repository|is not contained in|"
            r"loading? .*(index|snapshot|blob)|config or key \S+ is damaged|"
            r"repository contains errors|does not exist"
        ),
        errors.RepositoryDamaged,
        "repository.damaged",
    ),
)
_REFUSED = re.compile(r"unable to remove|Remove\(.*failed")
_HEALING = "storing the file again"
_RETRYING = b"returned error, retrying after"
_KEPT_ERRORS = 1000


def failure(name: str, command: str, done: process.Completed) -> errors.OpsdError:
    """Name a failure as narrowly as restic's exit code and words allow."""
    detail = _last_words(done)
    if done.exit_code in _FAILURES:
        kind, key = _FAILURES[done.exit_code]
        return kind(key, repository=name, detail=detail)
    return telling(name, detail) or errors.StorageFailed(
        "restic.failed",
        repository=name,
        command=command,
        exit_code=done.exit_code,
        detail=detail or "restic gave no reason",
    )


def telling(name: str, words: str) -> errors.OpsdError | None:
    """The failure that these words alone tell of, if they do."""
    for pattern, kind, key in _TELLING:
        if pattern.search(words):
            return kind(key, repository=name, detail=words)
    return None


class Messages:
    """Collects what restic says on both streams; lines that are no JSON are kept as words."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.summary: Mapping[str, object] = {}
        self.errors: list[str] = []
        self.retrying = ""  # what was last said of a storage that restic asks again and again

    def hear(self, line: bytes) -> None:
        if _RETRYING in line:
            self.retrying = line.decode(errors="backslashreplace").strip()
        message = _message(line)
        match message.get("message_type"):
            case "status":
                self._on_progress(_progress(message))
            case "summary":
                self.summary = message
            case "error" if len(self.errors) < _KEPT_ERRORS:
                self.errors.append(_error_text(message))


def parse_snapshots(text: str) -> Iterator[Snapshot]:
    """Snapshots of the array that `restic snapshots --json` prints. No array is no empty one."""
    try:
        yield from map(_snapshot, json.loads(text) or ())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.ToolFailed(
            "restic.odd_answer", command="snapshots", detail=f"{error}: {text[:200]}"
        ) from error


def _snapshot(found: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        id=found["id"],
        at=datetime.fromisoformat(found["time"]),
        host=found.get("hostname", ""),
        tree=found.get("tree", ""),
        paths=tuple(found.get("paths", ())),
        tags=frozenset(found.get("tags") or ()),
        files=_count(found.get("summary") or {}, "total_files_processed"),
        bytes=_count(found.get("summary") or {}, "total_bytes_processed"),
        added_bytes=_count(found.get("summary") or {}, "data_added_packed"),
    )


def parse_backup(messages: Messages, done: process.Completed) -> BackupSummary:
    """The summary of a backup; without one, or without a snapshot id, there was no backup."""
    found = messages.summary
    if not found.get("snapshot_id"):
        raise errors.ToolFailed("restic.no_summary", command="backup", detail=_last_words(done))
    unread = tuple(e for e in messages.errors if _HEALING not in e)
    healed = len(unread) < len(messages.errors)
    if done.exit_code == INCOMPLETE and not unread and not healed:
        unread = (_last_words(done),)
    return BackupSummary(
        snapshot=str(found["snapshot_id"]),
        files=_count(found, "total_files_processed"),
        bytes=_count(found, "total_bytes_processed"),
        added_bytes=_count(found, "data_added_packed"),
        unread=unread,
        healed=healed,
        new_files=_count(found, "files_new"),
        changed_files=_count(found, "files_changed"),
        unpacked_bytes=_count(found, "data_added"),
    )


def parse_restore(name: str, messages: Messages, done: process.Completed) -> RestoreSummary:
    """The summary of a restore; a restore that ended without one is a failure of its own."""
    if not messages.summary:
        raise failure(name, "restore", done)
    failures = tuple(messages.errors)
    if done.exit_code != 0 and not failures:
        failures = (_last_words(done),)
    _insist_on_storage(name, failures)
    if any("no space left on device" in text for text in failures):
        raise errors.ScratchFull("scratch.full", detail=failures[0])
    return RestoreSummary(
        files=_count(messages.summary, "files_restored"),
        bytes=_count(messages.summary, "bytes_restored"),
        failures=failures,
    )


def parse_check(name: str, messages: Messages, done: process.Completed) -> CheckReport:
    """What check found. Exit code 1 without a finding is a check that was not made."""
    if done.exit_code == 0:
        return CheckReport(())
    _insist_on_storage(name, messages.errors)
    told = failure(name, "check", done)
    if not messages.errors and not isinstance(told, errors.RepositoryDamaged):
        raise told
    return CheckReport(tuple(messages.errors) or (told.detail,))


def parse_contents(text: str) -> Iterator[tuple[str, str, str]]:
    """Pack, blob and kind of blob, of everything in an index as restic shows it."""
    for pack in json.loads(text or "{}").get("packs") or ():
        for blob in pack.get("blobs") or ():
            yield pack["id"], blob["id"], blob["type"]


def parse_found(text: str) -> Iterator[tuple[str, str]]:
    """Snapshot and path of everything that `restic find --json` found by an id."""
    for one in json.loads(text or "[]") or ():
        yield one["snapshot"], one["path"]


def parse_lock(lock_id: str, done: process.Completed) -> Lock:
    """A lock as restic shows it."""
    try:
        found = json.loads(done.text)
        return Lock(
            id=lock_id,
            at=datetime.fromisoformat(found["time"]),
            host=str(found.get("hostname", "")),
            user=str(found.get("username", "")),
            pid=int(found.get("pid", 0)),
            exclusive=bool(found.get("exclusive", False)),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise errors.ToolFailed("restic.odd_lock", id=lock_id, detail=done.text[:200]) from error


def parse_prune(done: process.Completed) -> tuple[str, ...]:
    """What prune could not remove: it says so and ends with 0 all the same."""
    lines = done.stderr.decode(errors="backslashreplace").splitlines()
    return tuple(line.strip() for line in lines if _REFUSED.search(line))


def _insist_on_storage(name: str, complaints: Sequence[str]) -> None:
    """Raise when complaints tell of a storage that does not answer: they say nothing of damage."""
    told = telling(name, "\n".join(complaints))
    blind = not isinstance(told, errors.RepositoryDamaged | errors.SpaceExhausted)
    if told is not None and blind:
        raise told


def _message(line: bytes) -> Mapping[str, object]:
    if not line.startswith(b"{"):
        return {}
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _error_text(message: Mapping[str, object]) -> str:
    error = message.get("error")
    inner = error.get("message", "") if isinstance(error, Mapping) else error
    text = str(message.get("message") or inner or "").strip()
    item = str(message.get("item") or "")
    return f"{item}: {text}" if item and item not in text else text


def _progress(message: Mapping[str, object]) -> Progress:
    done = _count(message, "bytes_done") or _count(message, "bytes_restored")
    return Progress(done, _count(message, "total_bytes"))


def _count(message: Mapping[str, object], name: str) -> int:
    value = message.get(name, 0)
    return value if isinstance(value, int) else 0


def _last_words(done: process.Completed) -> str:
    """The most telling of what was said on standard error."""
    words = []
    for line in done.stderr.splitlines():
        message = _message(line)
        if message.get("message_type") == "exit_error":
            words.append(str(message.get("message", "")))
        elif message.get("message_type") == "error":
            words.append(_error_text(message))
        elif not message:
            words.append(line.decode(errors="backslashreplace"))
    return "\n".join(word.strip() for word in words[-8:] if word.strip())
