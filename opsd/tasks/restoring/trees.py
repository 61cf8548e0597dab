"""A tree of files brought back for a person."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from opsd.drivers import manifests, restic
from opsd.manifest import Entry
from opsd.model import Finding, Severity
from opsd.policy.comparison import TreeComparison
from opsd.tasks.members import files
from opsd.tasks.proving.tree import compared
from opsd.tasks.restoring.terms import Door, Plan, Restored, Step, fetch


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the tree, or the named parts of it, and compare each entry with the manifest."""
    prefixes = tuple(os.fsencode(path.strip("/")) for path in wanted.request.only)
    only = None
    if prefixes:
        only = record / "patterns"
        only.write_bytes(b"".join(restic.pattern_line(b"/" + prefix) for prefix in prefixes))
    fetch(door, step, only, done)
    door.watcher.phase("verify", step.member.member)
    fresh_after = int(wanted.point.at.timestamp() * 1_000_000_000)
    judged = TreeComparison(os.geteuid() == 0, fresh_after)
    expected = record / f"{step.member.member}.{files.MANIFEST}"
    inside = _below(prefixes) if prefixes else _everything
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
    if judged.files == 0 and not judged.unsteady.counts and (prefixes or step.member.files):
        done.findings.append(
            Finding(Severity.FAULT, "restore.nothing", {"member": step.member.member})
        )
    done.files += judged.files
    done.bytes += judged.bytes


def _watched(
    door: Door, step: Step, judged: TreeComparison, entries: Iterator[Entry]
) -> Iterator[Entry]:
    for entry in entries:
        door.watcher.advance(judged.bytes, step.member.bytes)
        yield entry


def _everything(_: Entry, __: Entry | None) -> bool:
    return True


def _below(prefixes: tuple[bytes, ...]) -> Callable[[Entry, Entry | None], bool]:
    def inside(entry: Entry, _: Entry | None) -> bool:
        path = entry.path.rstrip(b"/")
        return any(path == p or path.startswith(p + b"/") for p in prefixes)

    return inside
