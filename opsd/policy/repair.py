"""What to do about a damaged repository: steps for a person by hand, or for the playbook.

The order is that of restic's manual ("Troubleshooting"): remove nothing, keep the index and the
snapshots as they are, repair the index, back up again from the living source, which heals what the
source still has, and only then take out of old snapshots what is lost for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from opsd.keeping import Object

KEPT = ("config", "index", "keys", "snapshots")  # what a repair may rewrite, and the keys to it


class StepName(StrEnum):
    """What a step does; its sentence is `repair.<value>`."""

    STOP_PRUNING = "stop_pruning"  # retention refuses by itself while damage is known
    KEEP = "keep"  # copy index and snapshots aside
    REPAIR_PACKS = "repair_packs"  # save what is whole in a damaged pack
    REPAIR_INDEX = "repair_index"  # make the index anew from the packs that are there
    BACK_UP = "back_up"  # what the living source still has is stored again
    READ = "read"  # read the damaged objects again, and look who is still affected
    REPAIR_SNAPSHOTS = "repair_snapshots"  # take what is lost out of old snapshots
    PROVE = "prove"  # restore the newest point, and compare
    ACKNOWLEDGE = "acknowledge"  # retention goes on


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its command, where that is run, and whether it comes only when nothing else helped.

    Without a command it is done by hand, or is so already. `backup_set` is whom it is about.
    """

    name: StepName
    argv: tuple[str, ...] = ()
    backup_set: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None  # made before; restic saves damaged packs where it is run
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a damaged repository, and how it is reached.

    `affected` are the snapshots that need what is damaged; `kept` is where copies are put.
    `suspected`: a run found something wrong, maybe of which no object is known.
    """

    url: str
    password_file: Path
    restic: str
    env: Mapping[str, str]
    sets: Sequence[str]
    damaged: Sequence[Object]
    affected: Sequence[str]
    kept: Path
    suspected: bool = False

    @property
    def local(self) -> bool:
        """Whether it is a directory of this machine."""
        return self.url.startswith("/")


@dataclass(frozen=True, slots=True)
class Affected:
    """A snapshot that needs what is damaged: of which point, which part of it, and which files.

    `whole` says that directories of it cannot be read: files in them are affected, and not counted.
    """

    point: str
    part: str
    snapshot: str
    files: int
    names: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Damage:
    """What is damaged in a repository, whom it affects, and how it is repaired.

    `unplaced` are damaged packs of which no index tells what lay in them.
    """

    repository: str
    objects: Sequence[Object]
    affected: tuple[Affected, ...]
    unplaced: tuple[str, ...]
    steps: tuple[Step, ...]
    elapsed: timedelta

    @property
    def points(self) -> tuple[str, ...]:
        """The recovery points that are affected, newest first."""
        return tuple(sorted({one.point for one in self.affected if one.point}, reverse=True))


def plan(facts: Facts) -> tuple[Step, ...]:
    """The steps in their order; none where nothing is damaged."""
    if not facts.damaged and not facts.suspected:
        return ()
    packs = tuple(one.name for one in facts.damaged if one.kind == "data")
    steps = [Step(StepName.STOP_PRUNING), _keep(facts)]
    if packs:
        steps.append(_restic(facts, StepName.REPAIR_PACKS, "repair", "packs", *packs))
    steps.append(_restic(facts, StepName.REPAIR_INDEX, "repair", "index"))
    steps += [_opsd(StepName.BACK_UP, name, "backup", name, "--no-prove") for name in facts.sets]
    steps.append(_opsd(StepName.READ, facts.sets[0], "repository", "read", facts.sets[0]))
    if facts.affected:
        repair = ("repair", "snapshots", *facts.affected)
        steps.append(_restic(facts, StepName.REPAIR_SNAPSHOTS, *repair, last_resort=True))
    steps += [_opsd(StepName.PROVE, name, "prove", name) for name in facts.sets]
    steps += [
        _opsd(StepName.ACKNOWLEDGE, name, "retention", "acknowledge", name, "--reason", "...")
        for name in facts.sets
    ]
    return tuple(steps)


def _keep(facts: Facts) -> Step:
    """A local repository is copied here; where opsd has no copy of its own to make, by hand."""
    if not facts.local:
        return Step(StepName.KEEP)
    parts = (str(Path(facts.url) / part) for part in KEPT)
    argv = ("cp", "--archive", "--", *parts, str(facts.kept))
    return Step(StepName.KEEP, argv, directory=facts.kept)


def _restic(facts: Facts, name: StepName, *arguments: str, last_resort: bool = False) -> Step:
    opened = ("--repo", facts.url, "--password-file", str(facts.password_file))
    argv = (facts.restic, *opened, *arguments)
    return Step(name, argv, env=dict(facts.env), directory=facts.kept, last_resort=last_resort)


def _opsd(name: StepName, backup_set: str, *arguments: str) -> Step:
    return Step(name, ("opsd", *arguments), backup_set)
