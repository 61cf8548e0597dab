"""Restore a tree of files and compare it with its manifest, whole or by parts that move on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from opsd import manifest
from opsd.clock import Stopwatch
from opsd.drivers import manifests, restic, tree
from opsd.drivers.restic import Piece
from opsd.manifest import CHANGED, DIRECTORY, FILE, STABLE, UNREADABLE, Entry
from opsd.model import Finding, MemberSnapshot, Severity
from opsd.policy import sampling
from opsd.policy.comparison import TreeComparison
from opsd.tasks.ahead import ahead
from opsd.tasks.members.files import MANIFEST
from opsd.tasks.proving import parts
from opsd.tasks.proving.bench import Bench
from opsd.tasks.proving.storage import flip

_RESTORED = "restored.jsonl"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a proof restores of a tree: of a part also links, and directories with nothing in them.

    Other directories come back with what is in them, and are compared whenever they do. All names
    of a file are in one part, so that it is seen whether they are still one file.
    """

    part: sampling.Part
    hollow: frozenset[bytes] = frozenset()

    def wants(self, entry: Entry) -> bool:
        """Whether the entry must come back."""
        if self.part.whole:
            return True
        if entry.kind == DIRECTORY:
            return entry.path in self.hollow
        return self.part.has(_sampled_by(entry))

    def judges(self, entry: Entry, actual: Entry | None) -> bool:
        """Whether the entry is compared with what came back."""
        return self.wants(entry) or (entry.kind == DIRECTORY and actual is not None)


def compare(bench: Bench, member: MemberSnapshot) -> Path:
    """Restore what this turn's part holds and compare it.

    Gives a manifest of the tree as restored, entries outside the part as the source had them.
    """
    watch = Stopwatch()
    expected = bench.record / f"{member.member}.{MANIFEST}"
    sample = _sample(bench.part(member), expected)
    target = bench.scratch / member.member
    with bench.journal.phase("fetch", member.member):
        _fetch(bench, member, expected, sample, target)
    with bench.journal.phase("compare", member.member):
        fresh_after = int(bench.point.at.timestamp() * 1_000_000_000)
        comparison = TreeComparison(os.geteuid() == 0, fresh_after)
        restored = bench.scratch / f"{member.member}.{_RESTORED}"
        found = compared(comparison, expected, sample.judges, target)
        manifests.write(restored, _watched(bench, comparison, found))
        findings = bench.journal.findings
        findings += comparison.tally.findings("proof.files", member.member)
        findings += comparison.fleeting.findings("proof.files", member.member, Severity.NOTE)
        unsteady = comparison.unsteady.findings(
            "proof.files", member.member, comparison.unsteadiness
        )
        findings += unsteady
        if comparison.files == 0:
            bench.journal.findings.append(
                Finding(Severity.FAULT, "proof.no_files", {"member": member.member})
            )
        else:
            bench.canary(f"files:{member.member}", caught=_canary(expected, sample, target))
    bench.add({"files": comparison.files, "bytes": comparison.bytes})
    told = parts.Told(sample.part, comparison.files, comparison.bytes, watch.elapsed())
    parts.tell(bench, member, told)
    bench.wipe(target)
    return restored


def _sample(part: sampling.Part, expected: Path) -> Sample:
    if part.whole:
        return Sample(part)
    part = part.moved_on_to(
        _sampled_by(e) for e in manifests.read(expected) if e.kind == FILE and _comes_back(e)
    )
    entries = filter(_comes_back, manifests.read(expected))
    hollow = frozenset(
        entry.path
        for entry, following in pairwise(chain(entries, (None,)))
        if entry is not None
        and entry.kind == DIRECTORY
        and part.has(entry.path)
        and not (following and following.path.startswith(entry.path))
    )
    return Sample(part, hollow)


def _sampled_by(entry: Entry) -> bytes:
    return b"inode %d" % entry.links if entry.links else entry.path


def _comes_back(entry: Entry) -> bool:
    return entry.state in {STABLE, CHANGED}


def _fetch(
    bench: Bench, member: MemberSnapshot, expected: Path, sample: Sample, target: Path
) -> None:
    only = None
    if not sample.part.whole:
        only = bench.scratch / f"{member.member}.patterns"
        only.write_bytes(b"".join(_patterns(expected, sample)))
    target.mkdir(mode=0o700)
    bench.fetch(member.member, Piece(member.snapshot, member.root, target, only))


def _patterns(expected: Path, sample: Sample) -> Iterator[bytes]:
    for entry in manifests.read(expected):
        if sample.wants(entry):
            yield restic.pattern_line(b"/" + entry.path.rstrip(b"/"))


def compared(
    comparison: TreeComparison,
    expected: Path,
    inside: Callable[[Entry, Entry | None], bool],
    target: Path,
) -> Iterator[Entry]:
    """Judge each pair that is `inside`; give all entries as a restore of everything would."""
    wanted = manifests.read(expected)
    actual = hashed(tree.walk(target), target)
    for left, right in manifest.merge(wanted, actual, manifest.by_path, manifest.by_path):
        chosen = left is None or inside(left, right)
        if chosen:
            comparison.take(left, right)
        if left is not None and right is not None and chosen:
            yield left._replace(sha256=right.sha256, size=right.size)
        elif left is not None and not chosen:
            yield left


def hashed(entries: Iterable[Entry], root: Path) -> Iterator[Entry]:
    """The entries with the digests of their files.

    Raises `OSError` where one cannot be read: that is no word about what was restored.
    """
    top = os.fsencode(root) + b"/"

    def digest(entry: Entry) -> str:
        if entry.state == UNREADABLE:
            raise OSError(errno.EIO, "could not be read", os.fsdecode(top + entry.path))
        return tree.digest(top + entry.path) if entry.kind == FILE else ""

    for entry, found in ahead(digest, entries):
        yield entry._replace(sha256=found)


def _watched(bench: Bench, comparison: TreeComparison, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries as they pass, with progress, until the end is asked for."""
    for entry in entries:
        bench.kit.go_on()
        bench.kit.watcher.advance(comparison.bytes, 0)
        yield entry


def _canary(expected: Path, sample: Sample, target: Path) -> bool:
    """Flip one bit of one restored file: is the same comparison blind to it?"""
    top = os.fsencode(target) + b"/"
    known = (e for e in manifests.read(expected) if e.kind == FILE and e.sha256)
    mine = (e for e in known if sample.wants(e))
    chosen = next(mine, None)
    chosen = chosen if chosen is None or chosen.size else next((e for e in mine if e.size), chosen)
    if chosen is None or not os.path.exists(top + chosen.path):  # noqa: PTH110  (bytes)
        return False
    path = Path(os.fsdecode(top + chosen.path))
    before = path.stat()
    if before.st_size:
        flip(path)
    else:
        path.write_bytes(b"\0")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    entry = tree.look(top, chosen.path)
    again = TreeComparison(as_root=False)
    again.take(chosen, entry._replace(sha256=tree.digest(path)))
    gone = TreeComparison(as_root=False)
    gone.take(chosen, None)
    return "content" in again.tally.counts and "missing" in gone.tally.counts
