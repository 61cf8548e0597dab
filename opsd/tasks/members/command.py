"""A member that commands of the site take: its contract is docs/command-members.md.

`produce` fills a directory of ours and says what is in the source; what it wrote is hashed and
stored. That it ended with 0 is no evidence: what it wrote is brought back in the proof, by other
commands, which say what they see.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from opsd import record
from opsd.clock import Stopwatch
from opsd.config.command import CommandMember
from opsd.contents import ArtefactFile, CommandManifest
from opsd.drivers import tree
from opsd.errors import CommandFailed, ToolFailed
from opsd.manifest import DIRECTORY, FILE
from opsd.model import MemberKind
from opsd.policy import calls
from opsd.tasks.members.calling import Call, call, told
from opsd.tasks.members.captured import Captured, Work

ARTEFACT = "artefact"


def observe(member: CommandMember) -> None:
    """Whether its programs are there. Raises `ToolFailed` with the first that is not."""
    for command in (member.produce, member.restore, member.verify):
        if shutil.which(command.argv[0]) is None:
            raise ToolFailed("process.cannot_start", program=command.argv[0])


def capture(work: Work, name: str, member: CommandMember, fixed: Callable[[], None]) -> Captured:
    """Let the site's command fill a directory, and put that into a snapshot.

    When its data is from is not known before it is done: `fixed` is called then.
    """
    kit, watch = work.kit, Stopwatch()
    place = work.scratch / name
    artefact = place / ARTEFACT
    artefact.mkdir(parents=True, mode=0o700)
    at = kit.clock()
    made = Call(name, calls.PRODUCE, member.produce, place, let_in(member, artefact))
    with work.journal.phase("dump", name):
        call(made, work.left, kit.stop)
        fixed()
        said = told(made)
        if not said.tables:
            raise CommandFailed("command.no_tables", reason="source", member=name)
        files = tuple(artefact_files(artefact, name))
        if not sum(file.size for file in files):
            raise CommandFailed("command.no_bytes", reason="source", member=name)
    manifest = CommandManifest(
        said.source, at, said.tables, files, member.restore.argv, member.verify.argv
    )
    return work.keep((name, MemberKind.COMMAND), artefact, manifest, watch)


def let_in(member: CommandMember, artefact: Path) -> dict[str, str]:
    """What a command is told of where the artefact lies, and what lets it in."""
    passwords = member.passwords
    told_ = {"OPSD_ARTEFACT": str(artefact)}
    return {**told_, "OPSD_PASSFILE": str(passwords.path())} if passwords else told_


def artefact_files(root: Path, member: str) -> Iterator[ArtefactFile]:
    """The files of an artefact with their digests. Raises where there is anything else."""
    for entry in tree.walk(root):
        if entry.kind == DIRECTORY and not entry.state:
            continue
        try:
            name = entry.path.decode()
        except UnicodeDecodeError:
            name = ""
        if entry.kind != FILE or entry.state or not name:
            raise CommandFailed("command.odd_file", reason="source", member=member, name=entry.name)
        digest = tree.digest(os.fsencode(root) + b"/" + entry.path)
        yield ArtefactFile(name, entry.size, digest)


def read_manifest(path: Path) -> CommandManifest:
    """The manifest of such a member from its file."""
    return record.from_json(CommandManifest, path.read_text(encoding="utf-8"))
