"""The site's own playbooks: from a directory to playbooks, or to every mistake in each file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from opsd.config.explain import explain
from opsd.config.load import read
from opsd.config.mistakes import ConfigMistakes, Finding, Mistake
from opsd.config.playbook_file import PlaybookFile
from opsd.config.schema import Config
from opsd.config.tree import plant
from opsd.config.wrong import nearest

# What may stand in a word, and becomes a part of that one word.
BLANKS: Final = ("host", "subject", "cause", "incident")
_BLANK = re.compile(r"\{([^{}]*)\}")
_LABEL = re.compile(r"label\.[A-Za-z_][A-Za-z0-9_]*")
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "python3", "perl", "eval"})
_OWN: Final = ("reach", "backup", "repository", "state")


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a file may use, and those that are taken."""

    hosts: Collection[str]
    checks: Collection[str]
    taken: Collection[str] = ()


def known(config: Config, taken: Collection[str]) -> Known:
    """What a configuration names."""
    checks = {*type(config.checks).model_fields, *config.probes, *_OWN}
    return Known(tuple(config.hosts), checks, taken)


def files(directory: Path) -> tuple[Path, ...]:
    """The files with playbooks, in the order of their names."""
    return tuple(sorted(directory.glob("*.yaml")))


def load(path: Path, names: Known) -> PlaybookFile:
    """The playbook in a file. Raises `ConfigMistakes` with everything wrong in it."""
    return parse(read(path), names, str(path))


def parse(text: str, names: Known, file: str = "-") -> PlaybookFile:
    """The playbook in a text; `file` stands for it in messages."""
    tree = plant(text, file)
    findings = list(_unfit(tree.values, names))
    try:
        found = PlaybookFile.model_validate(tree.values)
    except ValidationError as error:
        found = None
        findings.extend(explain(error, PlaybookFile))
    mistakes = [*tree.twice, *(one.at(tree.place(one)) for one in findings)]
    if found is None or mistakes:
        raise ConfigMistakes(file, mistakes)
    return found


def load_all(
    directory: Path | None, names: Known
) -> tuple[tuple[PlaybookFile, ...], tuple[ConfigMistakes, ...]]:
    """Every playbook of a directory, and for each file that is wrong what is wrong in it."""
    good: dict[str, PlaybookFile] = {}
    bad: list[ConfigMistakes] = []
    for path in files(directory) if directory else ():
        taken = Known(names.hosts, names.checks, {*names.taken, *good})
        try:
            found = load(path, taken)
        except ConfigMistakes as mistakes:
            bad.append(mistakes)
        else:
            good[found.playbook] = found
    if directory is not None and not directory.is_dir():
        missing = Mistake(1, 1, "", "config.file_missing")
        bad.append(ConfigMistakes(str(directory), (missing,)))
    return tuple(good.values()), tuple(bad)


# --- what no option can tell by itself


def _unfit(values: object, names: Known) -> Iterator[Finding]:
    group = values if isinstance(values, Mapping) else {}
    if group.get("playbook") in names.taken:
        yield Finding(("playbook",), "config.name_twice", {"name": str(group["playbook"])})
    for index, host in enumerate(_list(group.get("hosts"))):
        yield from _named(host, names.hosts, ("hosts", index))
    answers = _group(group.get("answers"))
    if "answers" in group and not answers.get("checks") and not answers.get("alerts"):
        yield Finding(("answers",), "config.answers_nothing")
    for check in _group(answers.get("checks")):
        yield from _named(check, names.checks, ("answers", "checks", check), of_name=True)
    for index, glance in enumerate(_list(group.get("look"))):
        yield from _words(_group(glance).get("run"), ("look", index, "run"))
    seen: set[object] = set()
    for index, step in enumerate(_list(group.get("steps"))):
        name = _group(step).get("id")
        if isinstance(name, str) and name in seen:
            yield Finding(("steps", index, "id"), "config.name_twice", {"name": name})
        seen.add(name if isinstance(name, str) else None)
        yield from _step(_group(step), ("steps", index))


def _step(step: Mapping[Any, Any], here: tuple[str | int, ...]) -> Iterator[Finding]:
    if step.get("effect") == "change" and step.get("done") is None:
        yield Finding(here, "config.no_done")
    yield from _words(step.get("run"), (*here, "run"))
    yield from _words(step.get("undo"), (*here, "undo"))
    yield from _words(_group(step.get("done")).get("run"), (*here, "done", "run"))
    for index, one in enumerate(_list(step.get("requires"))):
        yield from _words(_group(one).get("run"), (*here, "requires", index, "run"))


def _words(run: object, here: tuple[str | int, ...]) -> Iterator[Finding]:
    """Blanks that there are; and none in what a shell would read as a script."""
    words = [word for word in _list(run) if isinstance(word, str)]
    scripts = bool(words) and words[0].rpartition("/")[2] in _SHELLS
    for index, word in enumerate(words):
        for blank in _BLANK.findall(word):
            if blank not in BLANKS and not _LABEL.fullmatch(blank):
                close = nearest(blank, BLANKS)
                fields = {"found": blank, "choices": ", ".join((*BLANKS, "label.NAME"))}
                told = {**fields, **({"close": close} if close else {})}
                yield Finding((*here, index), "config.blank", told)
            elif index == 0 or (scripts and index > 0 and words[index - 1] in {"-c", "-e"}):
                yield Finding((*here, index), "config.blank_in_script", {"found": blank})


def _named(
    name: object, names: Collection[str], here: tuple[str | int, ...], *, of_name: bool = False
) -> Iterator[Finding]:
    if not isinstance(name, str) or name in names:
        return
    words = sorted(names)
    close = nearest(name, words)
    fields = {"name": name, "known": ", ".join(words)}
    yield Finding(
        here, "config.no_such_name", {**fields, **({"close": close} if close else {})}, of_name
    )


def _group(values: object) -> Mapping[Any, Any]:
    return values if isinstance(values, Mapping) else {}


def _list(values: object) -> list[object]:
    return values if isinstance(values, list) else []
