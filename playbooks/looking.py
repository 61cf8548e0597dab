"""What several playbooks look at on a host, and how it is attached.

Each thing is a read of its own: what a log says can never be taken for the answer to another one.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from opsd.check import Read
from opsd.playbook import UNREACHED, Ask, Condition, Facts, Occasion

_LONGEST = 16_000  # characters of one attached text


def subject(found: Occasion) -> str:
    """What it is about: a mount point, a device, a file, a backup set."""
    return found.labels.get("subject", "") if found.alert else found.id.subject


def probe(found: Occasion) -> str:
    """The probe that it is about."""
    return found.labels.get("check", "") if found.alert else found.id.check


def asks(host: str, scripts: Mapping[str, str], within: timedelta) -> tuple[Ask, ...]:
    """Scripts by the name of their answer, all asked at once."""
    return tuple(Ask(host, Read(name, script, within)) for name, script in scripts.items())


def attached(facts: Facts, host: str, names: Iterable[str]) -> dict[str, str]:
    """What was said, for people; and why a host said nothing."""
    said = {name: facts.answer(host, name).text.strip() for name in names}
    texts = {name: text[-_LONGEST:] for name, text in said.items() if text}
    if host in facts.unreached:
        texts[UNREACHED] = f"{host}: {facts.unreached[host].detail or facts.unreached[host].key}"
    return texts


def command(argv: Iterable[str]) -> str:
    """A command as the shell there must read it to run just that."""
    return shlex.join(argv)


def says_whether(argv: Iterable[str], limit: int = 5) -> str:
    """A script that says `yes` or `no`: whether a command ends with 0."""
    return f"timeout -k 1 {limit} {command(argv)} >/dev/null 2>&1 && echo yes || echo no"


def not_yet(argv: tuple[str, ...]) -> Condition:
    """That a command does not end with 0."""
    return Condition(("sh", "-c", '! "$@" >/dev/null 2>&1', "sh", *argv))


def filled(text: str) -> int | None:
    """The percentage in use that `df -P` of one path told."""
    words = text.strip().splitlines()[-1].split() if text.strip() else []
    return next((int(w[:-1]) for w in words if w.endswith("%") and w[:-1].isdigit()), None)


def room(path: Path) -> str:
    """A script for `filled`."""
    return f"df -P -- {shlex.quote(str(path))}"
