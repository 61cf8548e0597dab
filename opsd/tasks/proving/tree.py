"""Restore a tree of files and compare it with its manifest, whole or by parts that move on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from opsd import manifest
from opsd.drivers import manifests, restic, tree
from opsd.drivers.restic import Piece
from opsd.manifest import CHANGED, FILE, STABLE, Entry
from opsd.model import Finding, MemberSnapshot, Severity
from opsd.policy import sampling
from opsd.policy.comparison import TreeComparison
from opsd.tasks.ahead import ahead
from opsd.tasks.members.files import MANIFEST
from opsd.tasks.proving.bench import Bench
from opsd.tasks.proving.storage import flip

_LOOKED_FOR = 0.01  # the share of damaged files for which the confidence is told
_RESTORED = "restored.jsonl"


def compare(bench: Bench, member: MemberSnapshot) -> Path:
    """Restore what this turn's part holds and compare it.

    Gives a manifest of the tree as restored, entries outside the part as the source had them.
    """
    expected = bench.record / f"{member.member}.{MANIFEST}"
    part = sampling.choose(member.bytes, bench.backup_set.prove.budget, bench.turn)
    if not part.whole:
        part = part.moved_on_to(e.path for e in manifests.read(expected) if _comes_back(e))
    target = bench.scratch / member.member
    with bench.journal.phase("fetch", member.member):
        _fetch(bench, member, expected, part, target)
    with bench.journal.phase("compare", member.member):
        fresh_after = int(bench.point.at.timestamp() * 1_000_000_000)
        comparison = TreeComparison(os.geteuid() == 0, fresh_after)
        restored = bench.scratch / f"{member.member}.{_RESTORED}"
        inside = part_of(part)
        found = compared(comparison, expected, inside, target)
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
            bench.canary(f"files:{member.member}", caught=_canary(expected, part, target))
    bench.add({"files": comparison.files, "bytes": comparison.bytes})
    _tell_part(bench, member, part, comparison.files)
    return restored


def _fetch(
    bench: Bench, member: MemberSnapshot, expected: Path, part: sampling.Part, target: Path
) -> None:
    only = None
    if not part.whole:
        only = bench.scratch / f"{member.member}.patterns"
        only.write_bytes(b"".join(_patterns(expected, part)))
    target.mkdir(mode=0o700)
    bench.fetch(member.member, Piece(member.snapshot, member.root, target, only))


def _patterns(expected: Path, part: sampling.Part) -> Iterator[bytes]:
    for entry in manifests.read(expected):
        if entry.kind == FILE and part.has(entry.path):
            yield restic.pattern_line(b"/" + entry.path)


def _comes_back(entry: Entry) -> bool:
    return entry.kind == FILE and entry.state in {STABLE, CHANGED}


def part_of(part: sampling.Part) -> Callable[[Entry], bool]:
    """Whether an entry belongs to this turn: files by their part, the rest only with the whole."""
    return lambda entry: part.has(entry.path) if entry.kind == FILE else part.whole


def compared(
    comparison: TreeComparison, expected: Path, inside: Callable[[Entry], bool], target: Path
) -> Iterator[Entry]:
    """Judge each pair whose entry is `inside`; give all as a restore of everything would."""
    wanted = manifests.read(expected)
    actual = hashed(tree.walk(target), target)
    for left, right in manifest.merge(wanted, actual, manifest.by_path, manifest.by_path):
        chosen = left is None or inside(left)
        if chosen:
            comparison.take(left, right)
        if left is not None and right is not None and chosen:
            yield left._replace(sha256=right.sha256, size=right.size)
        elif left is not None and not chosen:
            yield left


def hashed(entries: Iterable[Entry], root: Path) -> Iterator[Entry]:
    """The entries with the digests of their files."""
    top = os.fsencode(root) + b"/"

    def digest(entry: Entry) -> str:
        return tree.digest(top + entry.path) if entry.kind == FILE else ""

    for entry, found in ahead(digest, entries):
        yield entry._replace(sha256=found)


def _watched(bench: Bench, comparison: TreeComparison, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries as they pass, with progress, until the end is asked for."""
    for entry in entries:
        bench.kit.go_on()
        bench.kit.watcher.advance(comparison.bytes, 0)
        yield entry


def _canary(expected: Path, part: sampling.Part, target: Path) -> bool:
    """Flip one bit of one restored file: is the same comparison blind to it?"""
    top = os.fsencode(target) + b"/"
    known = (e for e in manifests.read(expected) if e.kind == FILE and e.sha256)
    mine = (e for e in known if part.has(e.path))
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


def _tell_part(bench: Bench, member: MemberSnapshot, part: sampling.Part, files: int) -> None:
    """What a part tells about the whole: how surely damage of 1 % of the files would be seen."""
    if part.whole:
        bench.figures.setdefault("confidence", 1.0)
        return
    damaged = max(1, round(member.files * _LOOKED_FOR))
    found = sampling.detection(member.files, files, damaged)
    bench.figures["confidence"] = min(found, bench.figures.get("confidence", 1.0))
    bench.figures["parts"] = part.parts
    bench.journal.find(
        Severity.NOTE,
        "proof.sampled",
        member=member.member,
        files=files,
        of=member.files,
        turn=part.turn % part.parts + 1,
        parts=part.parts,
        percent=round(100 * found, 1),
    )
