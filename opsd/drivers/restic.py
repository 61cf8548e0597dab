"""restic as typed calls. Says what restic did; judging whether that is enough is policy's.

What each exit code and message means was tried on restic 0.18 and 0.19 (docs/restic.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from opsd import errors
from opsd.drivers import process

MINIMUM = (0, 17, 0)

# restic's manual, "Scripting", exit codes: an unknown code is a failure.
_INCOMPLETE = 3
_FAILURES: Mapping[int, tuple[type[errors.StorageFailed], str]] = {
    10: (errors.RepositoryMissing, "repository.missing"),
    11: (errors.RepositoryLocked, "repository.locked"),
    12: (errors.WrongPassword, "repository.wrong_password"),
}
# What only the text tells, most telling first.
_TELLING: Sequence[tuple[re.Pattern[str], type[errors.OpsdError], str]] = (
    (re.compile(r"no space left on device|disk quota"), errors.SpaceExhausted, "repository.full"),
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
    (
        re.compile(r"connection refused|no such host|i/o timeout|no route to host|timed out"),
        errors.StorageFailed,
        "repository.unreachable",
    ),
)
_HEALING = "storing the file again"
_QUICK = timedelta(minutes=30)
_KEPT_ERRORS = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far restic is: bytes and files done and in all (0 while it still counts)."""

    bytes_done: int
    bytes_total: int
    files_done: int
    files_total: int


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a repository says about one snapshot."""

    id: str
    at: datetime
    host: str
    tree: str
    paths: tuple[str, ...]
    tags: frozenset[str]
    files: int = 0
    bytes: int = 0
    added_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """What goes into one snapshot, and under which names.

    `exclude` holds absolute paths. Without `parent` each file is read anew.
    """

    path: Path
    host: str
    tags: Sequence[str]
    parent: str = ""
    exclude: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """What lies below `root` in a snapshot, and where it shall go.

    `only` names a file of patterns, one a line, absolute below `root`.
    """

    snapshot: str
    root: str
    target: Path
    only: Path | None = None


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What restic says it did in one backup. `unread` are items that could not be read."""

    snapshot: str
    files: int
    bytes: int
    added_bytes: int
    unread: tuple[str, ...]
    healed: bool


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """What restic says it wrote, and what it could not."""

    files: int
    bytes: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `restic check` complained about; nothing means that it found nothing."""

    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines: `work` for what reads or writes data, `lock` how long to wait for a lock."""

    work: timedelta
    lock: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Restic:
    """One repository. `name` is its name in the configuration, for messages."""

    name: str
    url: str
    password_file: Path
    cache: Path
    program: str = "restic"
    env: Mapping[str, str] = field(default_factory=dict)
    stop: process.Stop = process.NEVER

    def init(self) -> None:
        """Make a new repository. Only ever after `RepositoryMissing`."""
        self._call("init", timeout=_QUICK)

    def snapshots(self, *tags: str) -> tuple[Snapshot, ...]:
        """All snapshots that carry all `tags`, oldest first."""
        chosen = ("--tag", ",".join(tags)) if tags else ()
        done = self._call("snapshots", "--no-lock", *chosen, timeout=_QUICK)
        return tuple(sorted(parse_snapshots(done.text), key=lambda s: s.at))

    def backup(
        self, source: Source, *, limits: Limits, on_progress: OnProgress = silent
    ) -> BackupSummary:
        """Take one snapshot. Unreadable items are told, not raised: a snapshot exists."""
        arguments = (
            "backup",
            *("--host", source.host, "--tag", ",".join(source.tags), "--group-by", "host,tags"),
            *(("--parent", source.parent) if source.parent else ("--force",)),
            *(f"--exclude={literal(item)}" for item in source.exclude),
            *("--retry-lock", _seconds(limits.lock)),
            *("--", str(source.path)),
        )
        messages = _Messages(on_progress)
        done = self._call(
            *arguments, timeout=limits.work, messages=messages, tolerate=frozenset({_INCOMPLETE})
        )
        return parse_backup(messages, done)

    def restore(
        self, piece: Piece, *, limits: Limits, on_progress: OnProgress = silent
    ) -> RestoreSummary:
        """Write a piece of a snapshot into its target, going on past bad files."""
        arguments = (
            "restore",
            *(f"{piece.snapshot}:{piece.root}", "--target", str(piece.target)),
            *("--sparse", "--no-lock"),
            *(("--include-file", str(piece.only)) if piece.only else ()),
        )
        messages = _Messages(on_progress)
        done = self._call(
            *arguments, timeout=limits.work, messages=messages, tolerate=frozenset({1})
        )
        return parse_restore(self, messages, done)

    def read_file(self, snapshot: str, path: str) -> bytes:
        """The content of one small file of a snapshot."""
        return self._call("dump", "--no-lock", snapshot, path, timeout=_QUICK).stdout

    def check(self, *, limits: Limits, subset: str = "") -> CheckReport:
        """Check the structure, and with `subset` ("n/t" or "100%") read and hash packs too.

        Damage is told, not raised; a check that could not be made is raised.
        """
        read = ("--read-data-subset", subset) if subset else ()
        messages = _Messages(silent)
        done = self._call(
            "check",
            "--no-lock",
            *read,
            timeout=limits.work,
            messages=messages,
            tolerate=frozenset({1}),
        )
        return parse_check(self, messages, done)

    def locks(self) -> tuple[str, ...]:
        """The ids of the locks that lie in the repository, of living and of dead processes."""
        return tuple(self._call("list", "locks", "--no-lock", timeout=_QUICK).text.split())

    def unlock(self) -> None:
        """Remove locks whose process is dead on this machine, or that are older than 30 minutes."""
        self._call("unlock", timeout=_QUICK)

    def _call(
        self,
        *arguments: str,
        timeout: timedelta,
        messages: _Messages | None = None,
        tolerate: frozenset[int] = frozenset(),
    ) -> process.Completed:
        command = process.Command(
            (self.program, "--json", *arguments),
            timeout,
            env={
                "RESTIC_REPOSITORY": self.url,
                "RESTIC_PASSWORD_FILE": str(self.password_file),
                "RESTIC_CACHE_DIR": str(self.cache),
                "RESTIC_PROGRESS_FPS": "4",
                **self.env,
            },
        )
        done = process.run(
            command,
            stop=self.stop,
            on_stdout=messages.hear if messages else None,
            on_stderr=messages.hear if messages else None,
        )
        if done.exit_code != 0 and done.exit_code not in tolerate:
            raise failure(self.name, arguments[0], done)
        return done


def version(program: str) -> tuple[int, int, int]:
    """The version of the restic program. Raises `ToolFailed` when it is none."""
    done = process.run(process.Command((program, "version"), timedelta(seconds=20)))
    found = re.match(r"restic (\d+)\.(\d+)\.(\d+)", done.text)
    if found is None:
        raise errors.ToolFailed(
            "restic.not_restic", program=program, detail=(done.text or done.complaint)[:200]
        )
    return int(found[1]), int(found[2]), int(found[3])


def literal(path: str) -> str:
    """`path` as a pattern of restic that matches nothing else."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", path).replace("$", "$$")


def failure(name: str, command: str, done: process.Completed) -> errors.OpsdError:
    """Name a failure as narrowly as restic's exit code and words allow."""
    detail = _last_words(done)
    if done.exit_code in _FAILURES:
        kind, key = _FAILURES[done.exit_code]
        return kind(key, repository=name, detail=detail)
    for pattern, telling, key in _TELLING:
        if pattern.search(detail):
            return telling(key, repository=name, detail=detail)
    return errors.StorageFailed(
        "restic.failed",
        repository=name,
        command=command,
        exit_code=done.exit_code,
        detail=detail or "restic gave no reason",
    )


class _Messages:
    """Collects what restic says on both streams; lines that are no JSON are kept as words."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.summary: Mapping[str, object] = {}
        self.errors: list[str] = []

    def hear(self, line: bytes) -> None:
        message = _message(line)
        match message.get("message_type"):
            case "status":
                self._on_progress(_progress(message))
            case "summary":
                self.summary = message
            case "error" if len(self.errors) < _KEPT_ERRORS:
                self.errors.append(_error_text(message))


def parse_snapshots(text: str) -> Iterator[Snapshot]:
    """Snapshots of the array that `restic snapshots --json` prints."""
    for found in json.loads(text or "[]") or ():
        yield Snapshot(
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


def parse_backup(messages: _Messages, done: process.Completed) -> BackupSummary:
    """The summary of a backup; without one, or without a snapshot id, there was no backup."""
    found = messages.summary
    if not found.get("snapshot_id"):
        raise errors.ToolFailed("restic.no_summary", command="backup", detail=_last_words(done))
    unread = tuple(e for e in messages.errors if _HEALING not in e)
    healed = len(unread) < len(messages.errors)
    if done.exit_code == _INCOMPLETE and not unread and not healed:
        unread = (_last_words(done),)
    return BackupSummary(
        snapshot=str(found["snapshot_id"]),
        files=_count(found, "total_files_processed"),
        bytes=_count(found, "total_bytes_processed"),
        added_bytes=_count(found, "data_added_packed"),
        unread=unread,
        healed=healed,
    )


def parse_restore(
    repository: Restic, messages: _Messages, done: process.Completed
) -> RestoreSummary:
    """The summary of a restore; a restore that ended without one is a failure of its own."""
    if not messages.summary:
        raise failure(repository.name, "restore", done)
    failures = tuple(messages.errors)
    if done.exit_code != 0 and not failures:
        failures = (_last_words(done),)
    if any("no space left on device" in text for text in failures):
        raise errors.ScratchFull("scratch.full", detail=failures[0])
    return RestoreSummary(
        files=_count(messages.summary, "files_restored"),
        bytes=_count(messages.summary, "bytes_restored"),
        failures=failures,
    )


def parse_check(repository: Restic, messages: _Messages, done: process.Completed) -> CheckReport:
    """What check found. Exit code 1 without a finding is a check that was not made."""
    if done.exit_code == 0:
        return CheckReport(())
    told = failure(repository.name, "check", done)
    if not messages.errors and not isinstance(told, errors.RepositoryDamaged):
        raise told
    return CheckReport(tuple(messages.errors) or (told.detail,))


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
    files = _count(message, "files_done") or _count(message, "files_restored")
    return Progress(done, _count(message, "total_bytes"), files, _count(message, "total_files"))


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


def _seconds(span: timedelta) -> str:
    return f"{max(0, int(span.total_seconds()))}s"
