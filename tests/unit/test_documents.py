"""What the documents say of files, commands, options and words is so."""

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

from opsd import __version__, model
from opsd.catalogue import SENTENCES, Language
from opsd.cli.commands import COMMANDS, build
from opsd.config import schema
from opsd.config.options import Options
from opsd.drivers.postgres import TEXT_SETTINGS
from opsd.extents import CopiedFile
from opsd.manifest import Entry
from opsd.wal import Base

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))
FOR_USERS = (ROOT / "README.md", *sorted((DOCS / "runbooks").glob("*.md")))
RECORDS = sorted((DOCS / "adr").glob("[0-9]*.md"))
SECTIONS = ("## Context", "## Decision", "## What was measured", "## Consequences")

FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
OURS = re.compile(
    r"(?:benchmarks|checks|docs|grafana|opsd|playbooks|systemd|sysusers\.d|tests|tmpfiles\.d|tools)"
    r"/[\w./-]*"
)
COMMAND = re.compile(
    r"(?:^ *|\$ |&& |\| |-- )(?:[\w/]+/bin/)?opsd ([a-z]+)\b([^|&#;\n]*)", re.MULTILINE
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_of(text: str) -> list[str]:
    """Fenced blocks and code spans, a command on one line each."""
    blocks = [block.replace("\\\n", " ") for block in FENCED.findall(text)]
    spans = [" ".join(span.split()) for span in SPAN.findall(FENCED.sub("", text))]
    return [*blocks, *spans]


# ------------------------------------------------------------------------------ links and paths


def absent(page: Path, text: str) -> Iterator[str]:
    """Links and paths of this repository that lead nowhere."""
    for link in LINK.findall(text):
        if "://" not in link and not (page.parent / link).exists():
            yield link
    for code in code_of(text):
        if OURS.fullmatch(code) and not (ROOT / code).exists():
            yield code
        if re.fullmatch(r"\d{4}-[\w-]+\.md", code) and not (DOCS / "adr" / code).exists():
            yield code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    assert not list(absent(page, page.read_text(encoding="utf-8")))


def test_a_link_or_path_to_nowhere_would_be_found() -> None:
    text = "[a](docs/no.md) `opsd/no.py` `0099-no.md` [b](README.md) `opsd/model.py` `ls opsd/no`"
    assert list(absent(ROOT / "README.md", text)) == ["docs/no.md", "opsd/no.py", "0099-no.md"]


BESIDE = re.compile(r"`([^`\s]+)` in `(opsd/[\w/]+\.py)`|`(opsd/[\w/]+\.py)`, `(\w+)`")


def unnamed(text: str) -> Iterator[str]:
    """What a page says a file of ours has, and it has not."""
    for symbol, file, other, name in BESIDE.findall(text):
        path = ROOT / (file or other)
        if not path.exists() or (symbol or name) not in path.read_text(encoding="utf-8"):
            yield symbol or name


@pytest.mark.parametrize("page", [page for page in PAGES if page not in RECORDS], ids=name_of)
def test_what_a_page_names_in_a_file_is_there(page: Path) -> None:
    assert not list(unnamed(page.read_text(encoding="utf-8")))


def test_a_name_that_a_file_has_not_would_be_found() -> None:
    text = "(`opsd/model.py`, `Nothing_of_it`) (`Outcome` in `opsd/model.py`) (`x` in `opsd/no.py`)"
    assert list(unnamed(text)) == ["Nothing_of_it", "x"]


def test_the_first_screen_has_both_commands_and_a_proof() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert {"$ make demo", "$ make test"} <= {line.partition("  ")[0] for line in lines[:24]}
    assert any(line.startswith("PROVED") for line in lines[:24])


def documents_in(sentence: str) -> list[str]:
    return re.findall(r"docs/[\w./-]+\.\w+", sentence)


def test_every_document_that_a_sentence_names_is_there() -> None:
    named = {
        (key, document)
        for key, sentence in SENTENCES.items()
        for language in Language
        for document in documents_in(sentence.what(language) + " " + sentence.remedy(language))
    }
    assert ("repository.damaged", "docs/runbooks/repository-damaged.md") in named
    assert not [(key, document) for key, document in named if not (ROOT / document).is_file()]


def test_every_document_that_the_code_names_is_there() -> None:
    named = {
        document
        for path in (ROOT / "opsd").rglob("*.py")
        for document in documents_in(path.read_text(encoding="utf-8"))
    }
    assert "docs/glossary.md" in named
    assert not [document for document in named if not (ROOT / document).is_file()]


# ------------------------------------------------------------------------------ commands


@cache
def options_of(verb: str) -> frozenset[str]:
    """Every option that a command takes."""
    parser = build(Language.EN)
    chosen = next(action for action in parser._actions if action.dest == "command").choices
    assert isinstance(chosen, dict)
    return frozenset(chosen[verb]._option_string_actions)


VERBS = {command.name for command in COMMANDS}


def unknown_commands(codes: list[str]) -> Iterator[str]:
    """Verbs and options of opsd that its parser does not have."""
    for code in codes:
        for verb, rest in COMMAND.findall(code):
            if verb not in VERBS:
                yield f"opsd {verb}"
            else:
                known = options_of(verb)
                yield from (f"opsd {verb} {o}" for o in OPTION.findall(rest) if o not in known)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_document_can_be_typed(page: Path) -> None:
    assert not list(unknown_commands(code_of(page.read_text(encoding="utf-8"))))


def test_every_command_in_a_sentence_can_be_typed() -> None:
    said = [
        code
        for sentence in SENTENCES.values()
        for language in Language
        for code in SPAN.findall(sentence.what(language) + " " + sentence.remedy(language))
    ]
    assert any(COMMAND.search(code) for code in said)
    assert not list(unknown_commands(said))


def test_the_documents_for_users_name_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {verb for code in code_of(text) for verb, _ in COMMAND.findall(code)}
    assert named >= VERBS


def test_a_wrong_command_or_option_would_be_found() -> None:
    block = "```sh\nopsd backup x --hurry\nls && opsd restore x --to y \\\n --now\n```\n"
    found = list(unknown_commands(code_of(f"a\n{block}`opsd fly` `-g opsd docs`")))
    assert found == ["opsd backup --hurry", "opsd restore --now", "opsd fly"]


def lone_options(text: str) -> set[str]:
    """Options that stand by themselves in a code span, and that no command of opsd takes."""
    ours = {option for verb in VERBS for option in options_of(verb)}
    spans = (span for span in code_of(text) if span.startswith("--"))
    return {option for span in spans for option in OPTION.findall(span)} - ours


@pytest.mark.parametrize("page", FOR_USERS, ids=name_of)
def test_every_lone_option_for_users_is_one_of_ours(page: Path) -> None:
    assert not lone_options(page.read_text(encoding="utf-8"))


def test_a_lone_option_of_nobody_would_be_found() -> None:
    assert lone_options("`--member NAME` and `--members`") == {"--members"}


def unknown_targets(codes: list[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = [t for code in codes for t in re.findall(r"(?<![\w./-])make ([a-z]+)", code)]
    return [target for target in named if target not in targets]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_in_a_document_is_there(page: Path) -> None:
    assert not unknown_targets(code_of(page.read_text(encoding="utf-8")))


def test_an_unknown_make_target_would_be_found() -> None:
    assert unknown_targets(["make test && make love"]) == ["love"]


# ------------------------------------------------------------------------------ words


def first_column(text: str) -> set[str]:
    """The code words of the first column of every table."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {word for cell in cells for word in SPAN.findall(cell)}


def nouns() -> set[str]:
    found = inspect.getmembers(model, inspect.isclass)
    return {name for name, kind in found if kind.__module__ == model.__name__}


def values() -> set[str]:
    kinds = [kind for _, kind in inspect.getmembers(model, inspect.isclass)]
    enums = [kind for kind in kinds if issubclass(kind, Enum) and kind.__module__ == model.__name__]
    return {
        member.value if isinstance(member.value, str) else member.name.lower()
        for kind in enums
        for member in kind
    }


def test_the_glossary_has_every_noun_and_value_of_the_model_and_no_others() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    defined = first_column(text)
    kinds = {"files", "postgres", "mariadb", "command"}  # told with their noun
    assert nouns()
    assert {f"`{kind}`" for kind in kinds} <= {f"`{word}`" for word in SPAN.findall(text)}
    assert defined == nouns() | (values() - kinds)


def test_a_word_that_the_glossary_lacks_would_be_found() -> None:
    assert first_column("| `Run` | x |\n| run | `Closing` |\n| `ok`, `bad` | x |\n") == {
        "Run",
        "ok",
        "bad",
    }


def unknown_settings(codes: list[str]) -> list[str]:
    """Options of the configuration, written `group.option`, that the schema does not have."""
    groups: dict[str, type[Options]] = {"prove": schema.Prove, "clock": schema.Clock}
    named = [found for code in codes for found in re.findall(r"^(prove|clock)\.(\w+)$", code)]
    return [f"{group}.{o}" for group, o in named if o not in groups[group].model_fields]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_in_a_document_is_there(page: Path) -> None:
    assert not unknown_settings(code_of(page.read_text(encoding="utf-8")))


def test_an_unknown_setting_would_be_found() -> None:
    assert unknown_settings(["prove.budget", "clock.speed"]) == ["clock.speed"]


# ------------------------------------------------------------------------------ decisions, changes


def test_decisions_are_numbered_without_a_gap_and_listed_under_their_titles() -> None:
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", index, re.MULTILINE)
    written = [
        (page.name[:4], page.name, page.read_text(encoding="utf-8").splitlines()[0])
        for page in RECORDS
    ]
    assert [number for number, _, _ in written] == [f"{n + 1:04}" for n in range(len(RECORDS))]
    assert [(number, name) for number, name, _ in listed] == [(n, name) for n, name, _ in written]
    assert all(heading.startswith(f"# {number} ") for number, _, heading in written)


@pytest.mark.parametrize("page", RECORDS, ids=name_of)
def test_a_decision_says_why_what_was_measured_and_what_follows(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line in SECTIONS] == list(SECTIONS)


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    told = re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)
    assert {"Unreleased", __version__} & set(told)


# ------------------------------------------------------------------------------ the format


def format_page() -> str:
    return (DOCS / "repository-format.md").read_text(encoding="utf-8")


def test_the_manifest_of_a_tree_is_described_as_it_is_written() -> None:
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \| ([\w, ]+) \|", format_page(), re.MULTILINE)
    described = [
        (int(place), name)
        for places, names in rows
        for place, name in zip(places.split(", "), names.split(", "), strict=True)
    ]
    assert described == list(enumerate(Entry._fields))


@pytest.mark.parametrize("kind", [model.DatabaseManifest, model.Table])
def test_the_manifest_of_a_database_is_described_with_all_its_fields(kind: type) -> None:
    named = {span.removesuffix("[]") for span in SPAN.findall(format_page())}
    assert set(inspect.get_annotations(kind)) - named == set()


def test_a_base_copy_is_described_with_all_its_fields() -> None:
    text = re.sub(r"```.*?```", "", format_page(), flags=re.DOTALL)
    named = {span.removesuffix("[]") for span in SPAN.findall(text)}
    assert {name for name in inspect.get_annotations(Base) if name != "repository"} <= named
    assert set(inspect.get_annotations(CopiedFile)) <= named


def test_the_settings_of_a_digest_are_those_of_the_code() -> None:
    wanted = {f"{name}={value}" for name, value in TEXT_SETTINGS.items()}
    assert set(re.findall(r"-c (\w+=\w+)", format_page())) == wanted
    decision = (DOCS / "adr" / "0004-table-digest.md").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"\w+=\w+", decision))
