"""A tree of files brought back for a person."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from opsd.drivers import manifests, restic
from opsd.manifest import CHANGED, STABLE, Entry
from opsd.model import Finding, Severity
from opsd.policy.comparison import TreeComparison
from opsd.tasks.members import files
from opsd.tasks.proving.tree import compared
from opsd.tasks.restoring.terms import Door, Plan, Restored, Step, fetch


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the tree, or the named parts of it, and compare each entry with the manifest."""
    prefixes = {path: os.fsencode(path.strip("/")) for path in wanted.request.only}
    fetch(door, step, patterns(wanted.request.only, record), done)
    door.watcher.phase("verify", step.member.member)
    fresh_after = int(wanted.point.at.timestamp() * 1_000_000_000)
    judged = TreeComparison(os.geteuid() == 0, fresh_after)
    expected = record / f"{step.member.member}.{files.MANIFEST}"
    inside = _below(prefixes, done.matched) if prefixes else _everything
    found = _watched(door, step, judged, compared(judged, expected, inside, step.target))
    if wanted.request.manifests is not None:
        manifests.write(wanted.request.manifests / f"{step.member.member}.jsonl", found)
    for _ in found:
        pass
    if wanted.request.into_used_target or prefixes:
        judged.tally.counts.pop("extra", None)
    done.findings += judged.tally.findings("proof.files", step.member.member)
    for told in (judged.fleeting, judged.unsteady):
        done.findings += told.findings("proof.files", step.member.member, Severity.NOTE)
    if judged.files == 0 and not judged.unsteady.counts and step.member.files and not prefixes:
        done.findings.append(
            Finding(Severity.FAULT, "restore.nothing", {"member": step.member.member})
        )
    done.files += judged.files
    done.bytes += judged.bytes


def patterns(paths: Sequence[str], home: Path) -> Path | None:
    """A file with these paths as restic's patterns; None where everything is wanted."""
    if not paths:
        return None
    only = home / "patterns"
    lines = (restic.pattern_line(b"/" + os.fsencode(path.strip("/"))) for path in paths)
    only.write_bytes(b"".join(lines))
    return only


def _watched(
    door: Door, step: Step, judged: TreeComparison, entries: Iterator[Entry]
) -> Iterator[Entry]:
    for entry in entries:
        door.watcher.advance(judged.bytes, step.member.bytes)
        yield entry


def _everything(_: Entry, __: Entry | None) -> bool:
    return True


def _below(
    prefixes: Mapping[str, bytes], matched: set[str]
) -> Callable[[Entry, Entry | None], bool]:
    """What lies at or below a path; each path is `matched` that has something which was stored."""

    def inside(entry: Entry, found: Entry | None) -> bool:
        path = entry.path.rstrip(b"/")
        of = {name for name, p in prefixes.items() if path == p or path.startswith(p + b"/")}
        if found is not None or entry.state in {STABLE, CHANGED}:
            matched.update(of)
        return bool(of)

    return inside
