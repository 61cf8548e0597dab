"""What a site's command wrote, brought back for a person."""

from __future__ import annotations

from pathlib import Path

from opsd.config.command import CommandMember
from opsd.errors import ToolFailed
from opsd.model import Finding, Severity
from opsd.tasks.members import command
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.proving import command as commanded
from opsd.tasks.restoring.terms import Door, Plan, Restored, Step, fetch


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch what a site's command wrote, and verify that; load it where that was asked for."""
    name, request = step.member.member, wanted.request
    source = command.read_manifest(record / f"{name}.{MANIFEST}")
    fetch(door, step, None, done)
    door.watcher.phase("verify", name)
    done.bytes += source.bytes
    if wrong := commanded.judge_files(source, step.target, name):
        fields = {"member": name, "count": len(wrong), "names": wrong[:10]}
        done.findings.append(Finding(Severity.FAULT, "restore.file_differs", fields))
    elif request.load_into is None or request.member is None:
        fields = {"member": name, "files": len(source.files), "argv": " ".join(source.restore)}
        done.findings.append(Finding(Severity.NOTE, "restore.fetched_only", fields))
    else:
        member = door.members.get(name)
        if not isinstance(member, CommandMember):
            raise ToolFailed("command.not_configured", member=name)
        door.watcher.phase("load", name)
        place = record / f"{name}.place"
        trial = commanded.Trial(name, member, step.target, place, request.load_into, "restore")
        findings, seen = commanded.load(trial, source, door.stop)
        done.findings += findings
        done.tables += len(seen.tables)
        done.rows += sum(table.rows for table in seen.tables)
