"""A member brought back whose manifest cannot be read: there is nothing to compare it with."""

from __future__ import annotations

import os
from pathlib import Path

from opsd.model import Finding, MemberKind, MemberSnapshot, Severity
from opsd.tasks.members import files
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.restoring import trees
from opsd.tasks.restoring.terms import Door, Plan, Restored, Step, fetch


def manifest_of(member: MemberSnapshot) -> str:
    """The name of a member's manifest in the record of its point."""
    return f"{member.member}.{files.MANIFEST if member.kind is MemberKind.FILES else MANIFEST}"


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch it, which restic checks by its own hashes, and say that it was not compared."""
    only = wanted.request.only
    fetch(door, step, trees.patterns(only, record), done)
    done.matched.update(p for p in only if os.path.lexists(step.target / p.strip("/")))
    fields = {"member": step.member.member, "point": wanted.point.id}
    done.findings.append(Finding(Severity.FAULT, "restore.not_compared", fields))
