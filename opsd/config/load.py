"""From a file to a `Config`, or to every mistake in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from opsd.config import references
from opsd.config.explain import explain
from opsd.config.mistakes import ConfigMistakes, Mistake
from opsd.config.origin import Origin
from opsd.config.schema import Config
from opsd.config.tree import plant

_UNREADABLE: Final[tuple[tuple[type[OSError], str], ...]] = (
    (FileNotFoundError, "config.file_missing"),
    (PermissionError, "config.file_forbidden"),
    (IsADirectoryError, "config.file_is_directory"),
)


def load(path: Path) -> Config:
    """The configuration in a file. Raises `ConfigMistakes` with everything wrong in it."""
    return parse(read(path), str(path))


def parse(text: str, name: str = "-") -> Config:
    """The configuration in a text; `name` stands for its file in messages."""
    tree = plant(text, name)
    findings = list(references.check(tree.values))
    try:
        config = Config.model_validate(tree.values)
    except ValidationError as error:
        config = None
        findings.extend(explain(error))
    mistakes = [*tree.twice, *(finding.at(tree.place(finding)) for finding in findings)]
    if config is None or mistakes:
        raise ConfigMistakes(name, mistakes)
    return config.written_at(Origin(name, tree.places()))


def read(path: Path) -> str:
    """The text of a file. Raises `ConfigMistakes` where it cannot be read as one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        key = next((key for kind, key in _UNREADABLE if isinstance(error, kind)), "")
        fields = {"number": str(error.errno)}
        mistake = Mistake(1, 1, "", key or "config.file_failed", fields)
        raise ConfigMistakes(str(path), (mistake,)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigMistakes(str(path), (Mistake(*place, "", "config.not_utf8"),)) from None
