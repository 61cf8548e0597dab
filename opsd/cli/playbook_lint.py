"""`opsd playbook lint`: every mistake in the site's own playbooks, before one is needed."""

from __future__ import annotations

from pathlib import Path

from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.config import playbook_files
from opsd.config.mistakes import ConfigMistakes
from opsd.config.playbook_files import Known
from opsd.errors import UsageError
from playbooks import PLAYBOOKS


def lint(desk: Desk) -> Answer:
    """One file, or all of the configured directory."""
    names = playbook_files.known(desk.config, PLAYBOOKS)
    good, bad = _read(desk, names)
    lines = [line for one in bad for line in one.lines(desk.language)]
    said = desk.voice.say("playbook.lint", good=good, bad=len(bad))
    body = {"good": good, "mistakes": lines}
    return Answer(ExitCode.USAGE if bad else ExitCode.DONE, "\n".join((*lines, said)), body)


def _read(desk: Desk, names: Known) -> tuple[int, tuple[ConfigMistakes, ...]]:
    if desk.arguments.name:
        try:
            playbook_files.load(Path(desk.arguments.name), names)
        except ConfigMistakes as mistakes:
            return 0, (mistakes,)
        return 1, ()
    directory = desk.config.automation.playbooks
    if directory is None:
        raise UsageError("usage.no_playbook_files")
    good, bad = playbook_files.load_all(directory, names)
    return len(good), bad
