"""Let the site's commands bring an artefact back in a place of ours, and compare what they see.

What `verify` says is held against what `produce` said of the source. Then it is asked of a place
where nothing was restored, and all is done once more with half an artefact: commands that see
nothing wrong there verify nothing (docs/adr/0021-site-commands.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.config.command import CommandMember
from opsd.contents import CommandManifest
from opsd.drivers import system
from opsd.drivers.process import Stop
from opsd.drivers.restic import Piece
from opsd.errors import CommandFailed, RepositoryDamaged, ToolFailed
from opsd.model import Finding, MemberSnapshot, Severity
from opsd.policy import calls, comparison
from opsd.tasks.members.calling import Call, call, told
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.members.command import artefact_files, let_in, read_manifest
from opsd.tasks.proving.bench import Bench

_ARTEFACT = "OPSD_ARTEFACT"
_HALF = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """The commands of a member that bring back and look, and where they do it.

    `into` is where the data goes, as `restore` and `verify` understand it.
    """

    name: str
    member: CommandMember
    artefact: Path
    place: Path
    into: str
    purpose: str

    def bring_back(self, left: timedelta, stop: Stop) -> None:
        """Let the data be restored. Raises when it is not."""
        given = {**let_in(self.member, self.artefact), **self._where}
        call(Call(self.name, calls.RESTORE, self.member.restore, self.place, given), left, stop)

    def look(self, left: timedelta, stop: Stop) -> calls.Told:
        """What is there now. Its command is not told where the artefact lies."""
        given = {k: v for k, v in let_in(self.member, self.artefact).items() if k != _ARTEFACT}
        made = Call(
            self.name, calls.VERIFY, self.member.verify, self.place, {**given, **self._where}
        )
        call(made, left, stop)
        return told(made)

    @property
    def _where(self) -> dict[str, str]:
        return {"OPSD_INTO": self.into, "OPSD_PURPOSE": self.purpose}


@dataclass(frozen=True, slots=True)
class Restored:
    """An artefact that was brought back in a place of this proof."""

    bench: Bench
    trial: Trial
    manifest: CommandManifest

    def compare(self) -> None:
        """What `verify` sees against what `produce` said."""
        seen = self.trial.look(self.bench.insist_on_time(), self.bench.kit.stop)
        self.bench.journal.findings += judge(self.manifest, seen)
        rows = sum(table.rows for table in seen.tables)
        self.bench.add({"tables": len(seen.tables), "rows": rows})
        self.bench.figures["database_bytes"] = Size(self.manifest.bytes)

    def finish(self) -> None:
        """Nothing was restored, then half of the largest file is lost: are both seen?"""
        self.bench.wipe(self.trial.place)
        self.bench.canary(f"verify:{self.trial.name}", caught=_sees_nothing(self))
        largest = max(self.manifest.files, key=lambda file: file.size)
        with (self.trial.artefact / largest.path).open("r+b") as file:
            file.truncate(largest.size // _HALF)
        self.bench.canary(f"restore:{self.trial.name}", caught=_sees_half(self))


@contextmanager
def restored(bench: Bench, snapshot: MemberSnapshot) -> Iterator[Restored]:
    """The member's data, brought back in a place that ends with this block."""
    name = snapshot.member
    member = bench.backup_set.members.get(name)
    if not isinstance(member, CommandMember):
        raise ToolFailed("command.not_configured", member=name)
    manifest = read_manifest(bench.record / f"{name}.{MANIFEST}")
    artefact = bench.scratch / name
    with bench.journal.phase("fetch", name):
        bench.fetch(name, Piece(snapshot.snapshot, snapshot.root, artefact))
        if wrong := judge_files(manifest, artefact, name):
            raise RepositoryDamaged("proof.fetch_failed", member=name, detail=", ".join(wrong))
    trial = _trial(bench, name, member, artefact)
    try:
        with bench.journal.phase("load", name):
            trial.bring_back(bench.insist_on_time(), bench.kit.stop)
        yield Restored(bench, trial, manifest)
    finally:
        system.end_workers(trial.place)


def judge(manifest: CommandManifest, seen: calls.Told) -> list[Finding]:
    """What is not as the source had it."""
    found = {(table.schema, table.name): (table.rows, table.digest) for table in seen.tables}
    findings = list(comparison.judge_tables(manifest, found))
    if not manifest.rows:
        fields = {"member": manifest.database}
        findings.append(Finding(Severity.FAULT, "proof.no_rows", fields))
    return findings


def load(trial: Trial, manifest: CommandManifest, stop: Stop) -> tuple[list[Finding], calls.Told]:
    """Bring it back where a person said, and compare what is there then."""
    trial.place.mkdir(mode=0o700)
    try:
        trial.bring_back(trial.member.restore.timeout, stop)
        seen = trial.look(trial.member.verify.timeout, stop)
    finally:
        system.end_workers(trial.place)
    return judge(manifest, seen), seen


def judge_files(manifest: CommandManifest, artefact: Path, member: str) -> list[str]:
    """The files of the artefact that are not what was written."""
    expected = {file.path: file for file in manifest.files}
    actual = {file.path: file for file in artefact_files(artefact, member)}
    names = expected.keys() | actual.keys()
    return sorted(name for name in names if expected.get(name) != actual.get(name))


def _trial(bench: Bench, name: str, member: CommandMember, artefact: Path) -> Trial:
    """A trial in an empty place of its own; no two have the same."""
    place = bench.scratch / f"{name}.place{len(list(bench.scratch.glob(f'{name}.place*')))}"
    into = place / "into"
    into.mkdir(mode=0o700, parents=True)
    return Trial(name, member, artefact, place, str(into), "proof")


def _sees_nothing(restored_: Restored) -> bool:
    """Whether `verify` says anything else, or nothing, of a place where nothing was restored."""
    bench, trial = restored_.bench, restored_.trial
    empty = _trial(bench, trial.name, trial.member, trial.artefact)
    try:
        seen = empty.look(bench.insist_on_time(), bench.kit.stop)
    except (CommandFailed, ToolFailed):
        return True
    return bool(judge(restored_.manifest, seen))


def _sees_half(restored_: Restored) -> bool:
    """Whether `restore` or `verify` says that something is wrong with half a file.

    Raises where neither could be tried.
    """
    bench, trial = restored_.bench, restored_.trial
    half = _trial(bench, trial.name, trial.member, trial.artefact)
    try:
        half.bring_back(bench.insist_on_time(), bench.kit.stop)
        seen = half.look(bench.insist_on_time(), bench.kit.stop)
    except CommandFailed:
        return True
    finally:
        system.end_workers(half.place)
    return bool(judge(restored_.manifest, seen))
