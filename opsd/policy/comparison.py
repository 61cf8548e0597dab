"""Is what was restored what the source had? Facts of both sides in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from opsd import manifest
from opsd.contents import Contents, MariadbManifest
from opsd.manifest import APPEARED, CHANGED, DIRECTORY, FILE, UNREADABLE, VANISHED, Entry, Named
from opsd.model import DatabaseManifest, Finding, Severity, Table

NAMED = 10  # names told in a finding; the counts are exact
_UNSTEADY = 0.01  # the share of a tree that may move while it is read without being worth a look
_FEW = 20  # files of which a share says nothing


@dataclass(slots=True)
class Tally:
    """Counts differences by kind and keeps the first names of each."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        """One more of `kind`."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        named = self.names.setdefault(kind, [])
        if len(named) < NAMED:
            named.append(name)

    def findings(
        self, prefix: str, member: str, severity: Severity = Severity.FAULT
    ) -> tuple[Finding, ...]:
        """One finding for each kind: the sentence `prefix.kind` of the catalogue."""
        return tuple(
            Finding(
                severity,
                f"{prefix}.{kind}",
                {"member": member, "count": count, "names": self.names[kind]},
            )
            for kind, count in sorted(self.counts.items())
        )


@dataclass(slots=True)
class TreeComparison:
    """Compares restored entries with the manifest, one pair at a time, in constant memory."""

    as_root: bool  # owners can only be given back by root
    fresh_after: int = 1 << 63  # nanoseconds: what is younger came and went during the backup
    files: int = 0
    bytes: int = 0
    tally: Tally = field(default_factory=Tally)
    fleeting: Tally = field(default_factory=Tally)
    unsteady: Tally = field(default_factory=Tally)  # files that there was nothing to compare with
    _inodes: dict[int, int] = field(default_factory=dict)

    def take(self, expected: Entry | None, actual: Entry | None) -> None:
        """Judge one pair; None means that the side does not have it."""
        if expected is None:
            assert actual is not None  # noqa: S101  (a pair has at least one side)
            if actual.mtime >= self.fresh_after:
                self.fleeting.add("fleeting", actual.name)
            else:
                self.tally.add("extra", actual.name)
            return
        if expected.state in {VANISHED, APPEARED, UNREADABLE}:
            return
        if actual is None:
            self.tally.add("missing", expected.name)
            return
        if expected.state == CHANGED:  # stored as it was before, or after; the backup named it
            if expected.kind == FILE:
                self.unsteady.add("unsteady", expected.name)
            return
        for kind in self._differences(expected, actual):
            self.tally.add(kind, expected.name)
        if actual.kind == FILE:
            self.files += 1
            self.bytes += actual.size

    @property
    def unsteadiness(self) -> Severity:
        """What it means that some were not compared: when most were not, nothing is proved."""
        count = sum(self.unsteady.counts.values())
        if count > max(self.files, _FEW):
            return Severity.FAULT
        return Severity.CHANGE if count > self.files * _UNSTEADY else Severity.NOTE

    def _differences(self, expected: Entry, actual: Entry) -> Iterator[str]:
        if expected.kind != actual.kind:
            yield "kind"
            return
        if (expected.size, expected.sha256) != (actual.size, actual.sha256):
            yield "content"
        if expected.mtime != actual.mtime and expected.kind != DIRECTORY:
            yield "mtime"
        if expected.mode != actual.mode or expected.target != actual.target:
            yield "mode" if expected.mode != actual.mode else "target"
        if self.as_root and (expected.uid, expected.gid) != (actual.uid, actual.gid):
            yield "owner"
        if expected.xattrs != actual.xattrs:
            yield "xattrs"
        if expected.links and self._inodes.setdefault(expected.links, actual.inode) != actual.inode:
            yield "links"


def judge_tables(
    manifest: Contents, restored: Mapping[tuple[str, str], tuple[int, str]]
) -> tuple[Finding, ...]:
    """Compare rows and digest of each table; `restored` has them by schema and name."""
    if not manifest.tables:
        return (Finding(Severity.FAULT, "proof.no_tables", {"database": manifest.database}),)
    found = []
    for table in manifest.tables:
        actual = restored.get((table.schema, table.name))
        if actual is None:
            found.append(_fault("proof.table_missing", table=table.qualified))
        elif actual != (table.rows, table.digest):
            found.append(_table_differs(table, actual[0]))
    known = {(table.schema, table.name) for table in manifest.tables}
    found += [
        _fault("proof.table_extra", table=".".join(filter(None, name)))
        for name in sorted(set(restored) - known)
    ]
    return tuple(found)


def _table_differs(table: Table, rows: int) -> Finding:
    if rows != table.rows:
        return _fault("proof.rows_differ", table=table.qualified, rows=rows, expected=table.rows)
    return _fault("proof.digest_differs", table=table.qualified, rows=rows)


def judge_sequences(
    manifest: DatabaseManifest | MariadbManifest, restored: Mapping[tuple[str, str], int]
) -> tuple[Finding, ...]:
    """Each sequence stands between its values before and after the dump."""
    found = []
    for sequence in manifest.sequences:
        value = restored.get((sequence.schema, sequence.name))
        low, high = sorted((sequence.first, sequence.last))
        if value is None or not low <= value <= high:
            name = ".".join(filter(None, (sequence.schema, sequence.name)))
            found.append(_fault("proof.sequence_differs", sequence=name, low=low, high=high))
    return tuple(found)


def judge_named(kind: str, expected: Iterable[str], actual: Iterable[str]) -> tuple[Finding, ...]:
    """All that the manifest names (extensions, roles) are there."""
    missing = sorted(set(expected) - set(actual))
    return (_fault(f"proof.{kind}_missing", names=missing),) if missing else ()


def judge_properties(
    manifest: DatabaseManifest, restored: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Owner, grants and settings of the database itself; their values are not told."""
    expected = manifest.properties or {}
    wrong = sorted(name for name, value in expected.items() if restored.get(name) != value)
    return (_fault("proof.properties_differ", names=wrong),) if wrong else ()


def judge_large_objects(manifest: DatabaseManifest, count: int, digest: str) -> tuple[Finding, ...]:
    """Large objects are as many and the same."""
    if (count, digest) == (manifest.large_objects, manifest.large_objects_digest):
        return ()
    return (_fault("proof.large_objects_differ", expected=manifest.large_objects, count=count),)


@dataclass(slots=True)
class Reconciler:
    """Compares the files that a database names with the files there are, pair by pair.

    `fresh_after` is the moment (nanoseconds) of the database's snapshot: a file touched after it
    may lack its row or be newer than its row. `odd` is told of each row that does not fit, and how.
    """

    fresh_after: int
    rows: int = 0
    orphans: int = 0
    fresh_orphans: int = 0
    tally: Tally = field(default_factory=Tally)
    newer: Tally = field(default_factory=Tally)
    orphan_names: list[str] = field(default_factory=list)
    odd: Callable[[tuple[str, Named]], None] | None = None
    _last: Entry | None = None

    def join(self, rows: Iterable[Named], entries: Iterable[Entry]) -> None:
        """Judge all pairs of two streams in the order of their paths."""
        for row, entry in manifest.merge(rows, entries, lambda row: row.path, manifest.by_path):
            self.take(row, entry)

    def take(self, row: Named | None, entry: Entry | None) -> None:
        """Judge one pair; None means that the side does not have it."""
        if row is None:
            self._orphan(entry)
            return
        self.rows += 1
        if entry is None and self._last is not None and self._last.path == row.path:
            entry = self._last  # several rows may name one file
        self._last = entry
        wrong = self._wrong(row, entry)
        if wrong:
            (self.newer if wrong == "newer" else self.tally).add(wrong, row.name)
            if self.odd is not None:
                self.odd((wrong, row))

    def _wrong(self, row: Named, entry: Entry | None) -> str:
        if entry is None or entry.kind != FILE or entry.state == VANISHED:
            return "missing"
        if row.size in {None, entry.size} and row.sha256 == entry.sha256:
            return ""
        return "newer" if entry.state == CHANGED or self._fresh(entry) else "content"

    def _orphan(self, entry: Entry | None) -> None:
        if entry is None or entry.kind != FILE or entry.state == VANISHED:
            return
        if self._fresh(entry) or entry.state == APPEARED:
            self.fresh_orphans += 1
            return
        self.orphans += 1
        if len(self.orphan_names) < NAMED:
            self.orphan_names.append(entry.name)

    def _fresh(self, entry: Entry) -> bool:
        """Whether the file was touched after the database's snapshot, as an office does.

        By the ctime, which only the kernel sets: an mtime in the future would excuse anything.
        """
        return entry.ctime >= self.fresh_after


def _fault(key: str, **fields: object) -> Finding:
    return Finding(Severity.FAULT, key, fields)
