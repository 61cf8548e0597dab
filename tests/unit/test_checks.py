"""The table of checks is closed: options, sentences, causes, metrics and documents fit together."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from checks import CHECKS
from opsd.catalogue import SENTENCES, Language
from opsd.catalogue.language import Sentence
from opsd.check import Check
from opsd.config.checks import Checks
from opsd.metrics.host_families import OF_HOSTS
from opsd.metrics.table import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = Checks()
MADE = {name: make(OPTIONS.options(name)) for name, make in CHECKS.items()}
PAGE = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
SOURCES = {name: (ROOT / "checks" / f"{name}.py").read_text(encoding="utf-8") for name in CHECKS}
# Sentences that are said when all is well, or that nothing was done: no causes.
GOOD = re.compile(
    r"check\.(load|temperature|\w+\.("
    r"room|calm|no_pressure|usual|learning|skipped_\w+|none|healthy|whole|well|group|up|active"
    r"|right|valid|key_kept|ok|enough|failed|restarted))"
)
# Causes that are not the last word of their sentence.
CAUSES_BY_CHECK = {
    "load": {"overloaded"},
    "temperature": {"too_hot"},
    "boot": {"restarted"},
    "units": {"unit_failed"},
}


def sentences_of(check: str) -> dict[str, Sentence]:
    begin = f"check.{check}"
    return {k: s for k, s in SENTENCES.items() if k == begin or k.startswith(f"{begin}.")}


def causes_of(check: str) -> set[str]:
    """What the sentences of a check say can be wrong."""
    named = {key.rpartition(".")[2] for key in sentences_of(check) if not GOOD.fullmatch(key)}
    return named | CAUSES_BY_CHECK.get(check, set())


def words_in(source: str) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_check_has_options_and_all_options_a_check() -> None:
    assert set(Checks.model_fields) == set(CHECKS)
    assert {path.stem for path in (ROOT / "checks").glob("*.py")} == {*CHECKS, "__init__"}


@pytest.mark.parametrize("name", CHECKS)
def test_every_cause_of_a_check_is_a_word_of_its_code(name: str) -> None:
    """And so is every sentence: what nobody says is taken out."""
    assert sentences_of(name)
    code = words_in(SOURCES[name])
    for key in sentences_of(name):
        last = key.rpartition(".")[2].removeprefix("skipped_")
        assert last in code or key in code or any(key.endswith(word) for word in code if word)
    assert causes_of(name) <= code | {"mount_hangs"}


@pytest.mark.parametrize("name", CHECKS)
def test_every_cause_has_a_row_in_the_documents(name: str) -> None:
    section = PAGE.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    assert section, f"docs/checks.md lacks `{name}`"
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(rows) == causes_of(name)
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("name", CHECKS)
def test_every_option_has_a_row_in_the_documents(name: str) -> None:
    section = PAGE.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    common = {"enabled", "interval", "confirm", "recover"}
    own = set(type(OPTIONS.options(name)).model_fields) - common
    found = re.findall(r"^\* `(\w+)`", section, re.MULTILINE)
    assert sorted(found) == sorted(own)


def literal_metrics(source: str) -> Iterator[str]:
    yield from re.findall(r'"(opsd_(?:host|plugin)_\w+)"', source)


def test_every_metric_of_a_check_is_a_family() -> None:
    for source in SOURCES.values():
        assert set(literal_metrics(source)) - {"opsd_host_disk"} <= set(FAMILIES)
    for check in MADE.values():
        assert set(check.kept) <= set(FAMILIES)
        assert all(distance >= timedelta() for distance in check.kept.values())
    assert all(family.labels[0] == "host" for family in OF_HOSTS)


@pytest.mark.parametrize("name", CHECKS)
def test_reads_are_bounded_and_named_in_plain_letters(name: str) -> None:
    check: Check = MADE[name]
    for read in check.reads():
        assert re.fullmatch(r"[a-z0-9_.-]+", read.name)
        assert timedelta() < read.timeout <= timedelta(minutes=1)
        assert "\0" not in read.script
    assert check.disturbed_by <= {"backup", "probe"}


def test_a_bad_sentence_says_what_to_do() -> None:
    """Temperature, load and plugins speak for themselves."""
    silent = {
        key
        for name in CHECKS
        for key, said in sentences_of(name).items()
        if not GOOD.fullmatch(key) and not said.remedy(Language.VI)
    }
    assert silent == {
        "check.units.unit_starting",
        "check.plugins.plugin_warning",
        "check.plugins.plugin_critical",
        "check.plugins.plugin_unknown",
    }
