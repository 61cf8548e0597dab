"""restic as typed calls. Says what restic did; judging whether that is enough is policy's.

What each exit code and message means was tried on restic 0.18 and 0.19 (docs/restic.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from opsd import errors
from opsd.drivers import process
from opsd.drivers.restic.facts import (
    BackupSummary,
    Bounds,
    CheckReport,
    Limits,
    OnProgress,
    Piece,
    Progress,
    RestoreSummary,
    Snapshot,
    Source,
    silent,
)
from opsd.drivers.restic.words import (
    INCOMPLETE,
    Messages,
    failure,
    parse_backup,
    parse_check,
    parse_contents,
    parse_found,
    parse_lock,
    parse_prune,
    parse_restore,
    parse_snapshots,
    telling,
)
from opsd.keeping import Lock

__all__ = [
    "MINIMUM",
    "BackupSummary",
    "Bounds",
    "CheckReport",
    "Limits",
    "Piece",
    "Progress",
    "Restic",
    "RestoreSummary",
    "Snapshot",
    "Source",
    "literal",
    "version",
]

MINIMUM = (0, 17, 0)

_QUICK = timedelta(minutes=30)


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
    bounds: Bounds = field(default_factory=Bounds)

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
            *("--no-scan", "--retry-lock", _seconds(limits.lock)),
            *("--", str(source.path)),
        )
        messages = Messages(lambda told: on_progress(replace(told, bytes_total=source.total)))
        done = self._call(
            *arguments,
            timeout=limits.work,
            messages=messages,
            tolerate=frozenset({INCOMPLETE}),
            niceness=limits.niceness,
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
            *(("--delete", *(f"--exclude={n}" for n in piece.spared)) if piece.exact else ()),
        )
        messages = Messages(on_progress)
        done = self._call(
            *arguments, timeout=limits.work, messages=messages, tolerate=frozenset({1})
        )
        return parse_restore(self.name, messages, done)

    def read_file(self, snapshot: str, path: str) -> bytes:
        """The content of one small file of a snapshot."""
        return self._call("dump", "--no-lock", snapshot, path, timeout=_QUICK).stdout

    def check(self, *, limits: Limits, subset: str = "") -> CheckReport:
        """Check the structure, and with `subset` ("n/t" or "100%") read and hash packs too.

        Damage is told, not raised; a check that could not be made is raised.
        """
        read = ("--read-data-subset", subset) if subset else ()
        messages = Messages(silent)
        done = self._call(
            "check",
            "--no-lock",
            *read,
            timeout=limits.work,
            messages=messages,
            tolerate=frozenset({1}),
        )
        return parse_check(self.name, messages, done)

    def forget(self, snapshots: Sequence[str], *, limits: Limits) -> str:
        """Remove these snapshots, by their whole ids. Whether they went is seen by listing them.

        One that is gone already is passed over, and so is one that the storage keeps; gives what
        restic says of the latter.
        """
        messages = Messages(silent)
        done = self._call(
            "forget",
            *("--retry-lock", _seconds(limits.lock)),
            "--",
            *snapshots,
            timeout=limits.work,
            messages=messages,
            tolerate=frozenset({INCOMPLETE}),
        )
        return done.complaint if done.exit_code else ""

    def prune(self, repack: int, *, limits: Limits) -> tuple[str, ...]:
        """Give back the space of what no snapshot needs; what the storage would not remove.

        Writes at most `repack` bytes of packs anew. Raises `TimedOut` when its time is over: what
        was done by then counts, and the next prune goes on.
        """
        done = self._call(
            "prune",
            *("--max-repack-size", str(repack), "--retry-lock", _seconds(limits.lock)),
            timeout=limits.work,
        )
        return parse_prune(done)

    def lock(self, lock_id: str) -> Lock:
        """Whose a lock is. Raises an error when it cannot be read, or is gone."""
        return parse_lock(lock_id, self._call("cat", "lock", lock_id, "--no-lock", timeout=_QUICK))

    def locks(self) -> tuple[str, ...]:
        """The ids of the locks that lie in the repository, of living and of dead processes."""
        return tuple(self._call("list", "locks", "--no-lock", timeout=_QUICK).text.split())

    def packs(self) -> tuple[str, ...]:
        """The names of the packs that lie in the repository."""
        return tuple(self._call("list", "packs", "--no-lock", timeout=_QUICK).text.split())

    def contents(self, packs: Collection[str]) -> Mapping[str, frozenset[tuple[str, str]]]:
        """What lies in each of these packs, as far as an index tells: blobs with their kinds."""
        held: dict[str, set[tuple[str, str]]] = {}
        for index in self._call("list", "index", "--no-lock", timeout=_QUICK).text.split():
            done = self._call("cat", "index", index, "--no-lock", timeout=_QUICK)
            for pack, blob, kind in parse_contents(done.text):
                if pack in packs:
                    held.setdefault(pack, set()).add((blob, kind))
        return {pack: frozenset(blobs) for pack, blobs in held.items()}

    def find(
        self, kind: str, ids: Sequence[str], snapshots: Sequence[str]
    ) -> tuple[tuple[str, str], ...]:
        """In which of these snapshots, and under which paths, blobs or trees are needed."""
        among = (f"--snapshot={snapshot}" for snapshot in snapshots)
        done = self._call("find", "--no-lock", f"--{kind}", *among, "--", *ids, timeout=_QUICK)
        return tuple(parse_found(done.text))

    def unlock(self) -> None:
        """Remove locks whose process is dead on this machine, or that are older than 30 minutes."""
        self._call("unlock", timeout=_QUICK)

    def repair_packs(self, packs: Sequence[str], aside: Path, *, limits: Limits) -> None:
        """Save the readable blobs of damaged packs; what the packs were is written to `aside`."""
        told = frozenset({1})  # it says what was unreadable and has done its work: look again
        self._call("repair", "packs", *packs, timeout=limits.work, tolerate=told, cwd=aside)

    def repair_index(self, *, limits: Limits) -> None:
        """Make the index anew from the packs that are there."""
        self._call("repair", "index", timeout=limits.work)

    def repair_snapshots(self, *, limits: Limits) -> None:
        """Add snapshots without what is lost; those that lack something stay beside them."""
        self._call("repair", "snapshots", timeout=limits.work)

    def _call(
        self,
        *arguments: str,
        timeout: timedelta,
        messages: Messages | None = None,
        tolerate: frozenset[int] = frozenset(),
        cwd: Path | None = None,
        niceness: int = 0,
    ) -> process.Completed:
        command = process.Command(
            (self.program, "--json", *self.bounds.options, *arguments),
            timeout,
            cwd=cwd,
            env={
                "RESTIC_REPOSITORY": self.url,
                "RESTIC_PASSWORD_FILE": str(self.password_file),
                "RESTIC_CACHE_DIR": str(self.cache),
                "RESTIC_PROGRESS_FPS": "4",
                "TMPDIR": str(self.cache),
                **self.bounds.env,
                **self.env,
            },
            # Nothing is left behind without a lock; asked to end, restic's check may wait for ever.
            death_signal="KILL" if "--no-lock" in arguments else "TERM",
            whole=messages is None,
            niceness=niceness,
        )
        aside = messages or Messages(silent)
        try:
            done = process.run(
                command,
                stop=self.stop,
                on_stdout=messages.hear if messages else None,
                on_stderr=aside.hear,
            )
        except errors.TimedOut as late:
            raise telling(self.name, aside.retrying) or late from late
        if done.exit_code != 0 and done.exit_code not in tolerate:
            raise failure(self.name, arguments[0], done)
        return done


def version(program: str) -> tuple[int, int, int]:
    """The version of the restic program. Raises `ToolFailed` when it is none."""
    done = process.run(process.Command((program, "version"), timedelta(seconds=20)))
    found = re.match(r"restic (\d+)\.(\d+)\.(\d+)", done.text)
    if found is None:
        said = f"exit code {done.exit_code}: {(done.text or done.complaint)[:200]}"
        raise errors.ToolFailed("restic.not_restic", program=program, detail=said)
    return int(found[1]), int(found[2]), int(found[3])


def literal(path: str) -> str:
    """`path` as a pattern of restic, as an argument, that matches nothing else."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)


def pattern_line(path: bytes) -> bytes:
    """`path` as one line of a file of patterns.

    restic cuts such a file into lines, takes the space off their ends and puts in variables. What
    would be lost by that becomes `?`, which matches any one character: a few more may match.
    """
    text = literal(os.fsdecode(path)).replace("$", "$$")
    kept = text.rstrip()
    text = re.sub(r"[\r\n]", "?", kept) + "?" * (len(text) - len(kept))
    return os.fsencode(text) + b"\n"


def _seconds(span: timedelta) -> str:
    return f"{max(0, int(span.total_seconds()))}s"
