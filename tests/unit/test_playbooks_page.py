"""The page about playbooks says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from opsd.config.playbooks import Playbooks
from playbooks import PLAYBOOKS
from tests.playing import made

PAGE = Path(__file__).resolve().parents[2] / "docs" / "playbooks.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([^|]+) \| ([a-z_]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def test_the_table_has_every_playbook_in_the_order_in_which_they_are_asked() -> None:
    assert [row[0] for row in ROW.findall(PAGE.read_text())] == list(PLAYBOOKS)


def test_the_table_tells_consent_and_answers_as_they_are() -> None:
    for name, answers, consent in ROW.findall(PAGE.read_text()):
        assert Playbooks().options(name).approval.value == consent, name
        told = set(re.findall(r"`([a-z_]+)`", answers))
        assert told == set(made(name).terms.answers.checks), name
