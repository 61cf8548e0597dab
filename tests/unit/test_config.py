"""The configuration: what is right is read, and what is wrong is told, all of it, at its line."""

import ast
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import ValidationError

from opsd.catalogue import SENTENCES, Language, Size
from opsd.catalogue.config import TABLE as TABLE_OF_SENTENCES
from opsd.config import explain, load
from opsd.config.load import parse
from opsd.config.mistakes import ConfigMistakes, Mistake
from opsd.config.schema import Config, FilesMember, Orphans, PostgresMember
from opsd.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "opsd.example.yaml"

SMALL = """\
host: srv
repositories:
  main: {url: /srv/backup, password_file: /etc/opsd/main.password}
backup_sets:
  dossiers:
    repository: main
    schedule: 13:30
    rpo: 24h
    rto: 4h
    members:
      scans: {kind: files, path: /srv/scans}
      database: {kind: postgres, connection: dbname=dossiers}
"""

BARE = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)


def refused(text: str) -> ConfigMistakes:
    with pytest.raises(ConfigMistakes) as caught:
        parse(text, "opsd.yaml")
    return caught.value


def told(text: str) -> tuple[Mistake, ...]:
    """The mistakes in a text, if it has any."""
    try:
        parse(text)
    except ConfigMistakes as error:
        return error.mistakes
    return ()


def lines(text: str, language: Language = Language.EN) -> list[str]:
    return [line.removeprefix("opsd.yaml:") for line in refused(text).lines(language)]


# --------------------------------------------------------------------------------- what is right


def test_a_small_configuration_is_filled_with_defaults() -> None:
    config = parse(SMALL)
    dossiers = config.backup_sets["dossiers"]
    assert config.language is Language.VI
    assert config.zone == ZoneInfo("Asia/Ho_Chi_Minh")
    assert config.scratch == Path("/var/lib/opsd/scratch")
    assert config.cache == Path("/var/lib/opsd/cache")
    assert (config.listen, config.listen.host, config.listen.port) == (
        "127.0.0.1:9851",
        "127.0.0.1",
        9851,
    )
    assert config.clock.max_offset == timedelta(minutes=1)
    assert config.sync_required
    assert config.repositories["main"].min_free == Size(5 << 30)
    assert dossiers.schedule == time(13, 30)
    assert dossiers.prove.budget == Size(500 << 30)
    assert dossiers.prove.after_backup


def test_databases_are_taken_before_files_whatever_the_order_in_the_file() -> None:
    ordered = parse(SMALL).backup_sets["dossiers"].ordered
    assert [name for name, _ in ordered] == ["database", "scans"]
    assert [type(member) for _, member in ordered] == [PostgresMember, FilesMember]


def test_the_name_of_the_machine_is_the_default_host() -> None:
    assert parse(SMALL.replace("host: srv\n", "")).host


def test_a_demonstration_does_not_ask_for_a_synchronised_clock() -> None:
    assert not parse(SMALL + "demo: true\n").sync_required


def test_directories_follow_the_state() -> None:
    config = parse(SMALL + "state: /data/opsd\n")
    assert (config.scratch, config.cache) == (Path("/data/opsd/scratch"), Path("/data/opsd/cache"))


def test_anchors_and_merge_keys_are_understood() -> None:
    text = SMALL.replace("  main: {", "  main: &main {") + (
        "  other: {<<: *set, repository: second, title: Khác}\n"
    ).replace("*set", "&set {schedule: '1:05', rpo: 1d, rto: 2h, members: *members}")
    text = text.replace("    members:\n", "    members: &members\n")
    text = text.replace("backup_sets:", "  second: {<<: *main, lock_wait: 0s}\nbackup_sets:")
    config = parse(text)
    assert config.repositories["second"].url == "/srv/backup"
    assert config.repositories["second"].lock_wait == timedelta(0)
    assert config.backup_sets["other"].schedule == time(1, 5)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        parse(SMALL).host = "other"


def test_a_configuration_knows_where_it_was_written() -> None:
    config = parse(SMALL, "opsd.yaml")
    assert config.origin.file == "opsd.yaml"
    assert config.origin.place(("backup_sets", "dossiers", "rpo")) == (8, 10)
    assert config.origin.place(("backup_sets", "dossiers", "members", "scans", "path")) == (11, 34)
    assert config.origin.place(("backup_sets", "dossiers", "timeout")) == (5, 3)


def test_a_configuration_survives_being_written_and_read() -> None:
    config = load.load(EXAMPLE)
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_the_example_is_loaded() -> None:
    config = load.load(EXAMPLE)
    (reconciliation,) = config.backup_sets["dossiers"].prove.reconcile
    assert reconciliation.orphans is Orphans.REPORT
    assert config.repositories["offsite"].password.credential == "offsite.password"


# --------------------------------------------------------------------------------- what is wrong


@dataclass(frozen=True)
class Wrong:
    """A change of SMALL, and the lines that tell what is wrong with it."""

    old: str
    new: str
    en: list[str]
    vi: list[str]


TABLE = {
    name: Wrong(**row)
    for name, row in yaml.safe_load(
        Path(__file__).with_name("config_mistakes.yaml").read_text(encoding="utf-8")
    ).items()
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_a_mistake_is_told_at_its_line_in_both_languages(case: Wrong) -> None:
    assert case.old in SMALL
    text = SMALL.replace(case.old, case.new, 1)
    assert lines(text) == case.en
    assert lines(text, Language.VI) == case.vi


def test_what_a_message_says_comes_from_the_catalogue() -> None:
    """Every kind that a validator of ours raises has a sentence, and so has all of pydantic's."""
    named = {
        f"config.{call.args[0].value!s}"
        for path in (ROOT / "opsd" / "config").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id == "wrong" and isinstance(call.args[0], ast.Constant)
    }
    assert len(named) > 15
    assert named | set(explain.PYDANTIC.values()) <= SENTENCES.keys()


def test_every_sentence_about_the_configuration_is_said_somewhere() -> None:
    said = {
        node.value
        for path in (ROOT / "opsd" / "config").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {key.removeprefix("config.") for key in TABLE_OF_SENTENCES}
    unsaid = {n for n in names if not {n, f"config.{n}", n.removeprefix("kind_")} & said}
    assert not unsaid


def spoilt() -> SearchStrategy[object]:
    """Values of every type that YAML has, some of them nearly right."""
    words = [*Config.model_fields, "kind", "files", "postgres", "main", "a", "url", "members", "1h"]
    leaves = (
        st.none()
        | st.just("")
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.sampled_from(words)
    )
    keys = st.sampled_from(words) | st.integers(0, 3) | st.booleans()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


@settings(deadline=None)
@given(group=st.dictionaries(st.sampled_from([*Config.model_fields, "x"]), spoilt()))
def test_whatever_is_wrong_has_a_sentence_of_its_own(group: dict[str, object]) -> None:
    group = {**group, "backup_sets": {"a": {**group, "members": group.get("demo")}}}
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(group)
    findings = list(explain.explain(caught.value))
    assert findings
    assert "config.not_usable" not in {finding.key for finding in findings}
    for language in Language:
        text = ConfigMistakes("f", [finding.at((1, 1)) for finding in findings]).text(language)
        assert "Input should" not in text


EDITS = [*"\t:{}[]&*!|>'\"%@`,#-?<\\\n \x00é", "- ", "<<: ", "&a ", "*a", "!!int ", "null", "1", ""]


@settings(deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0), st.integers(0, 9), st.sampled_from(EDITS)), max_size=4)
)
def test_an_example_spoilt_anywhere_is_read_or_its_mistakes_are_told(
    cuts: list[tuple[int, int, str]],
) -> None:
    text = "".join(line for line in BARE if not line.lstrip().startswith("#"))
    for start, length, edit in cuts:
        cut = start % len(text)
        text = text[:cut] + edit + text[cut + length :]
    last = text.count("\n") + 1
    for mistake in told(text):
        assert 1 <= mistake.line <= last
        assert all(mistake.text(language) for language in Language)


def test_an_error_carries_its_mistakes_and_is_a_config_error() -> None:
    error = refused(SMALL.replace("rpo: 24h", "rpo: soon"))
    assert isinstance(error, ConfigError)
    (mistake,) = error.mistakes
    assert (mistake.line, mistake.column, mistake.path) == (8, 10, "backup_sets.dossiers.rpo")
    assert mistake.key == "config.duration"
    assert str(error).splitlines()[0] == ("the configuration opsd.yaml cannot be used, mistakes: 1")
    line = error.text(Language.VI).splitlines()[1]
    assert line.startswith("opsd.yaml:8:10: backup_sets.dossiers.rpo: ")
