"""The catalogue is closed: both languages say the same, and everything asked for is there."""

import ast
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import catalogue
from opsd.catalogue import SENTENCES, Language, sentence
from opsd.catalogue.language import Sentence
from opsd.cli.commands import COMMANDS
from opsd.cli.exit_codes import ExitCode
from opsd.errors import DatabaseFailed, OpsdError, quoted
from opsd.model import MemberKind, Outcome, Proof, Severity, Status, Task

ROOT = Path(__file__).resolve().parents[2]
# Said the same in both languages: names, and what is only a form.
SAME = {
    "column.kind",
    "config.kind_truth",
    "daemon.page_title",
    "doctor.restic",
    "help.metavar.shell",
    "kind.mariadb",
    "kind.postgres",
    "points.proved_at",
    "status.title",
    "usage.argument",
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def wrong_where(right: Callable[[str, Sentence], bool]) -> list[str]:
    return [key for key, said in SENTENCES.items() if not right(key, said)]


def test_both_languages_fill_the_same_fields() -> None:
    def same(_: str, said: Sentence) -> bool:
        return placeholders(said.vi) == placeholders(said.en) and placeholders(
            said.vi_remedy
        ) == placeholders(said.en_remedy)

    assert wrong_where(same) == []


def test_every_sentence_is_said_in_both_languages() -> None:
    def both(key: str, said: Sentence) -> bool:
        differs = said.vi != said.en or key in SAME or key.startswith("demo.")
        return (
            bool(said.vi and said.en) and differs and bool(said.vi_remedy) == bool(said.en_remedy)
        )

    assert wrong_where(both) == []


def test_vietnamese_is_written_with_whole_letters() -> None:
    """In NFC: one character a letter, as keyboards and searches have it."""
    assert (
        wrong_where(lambda _, said: unicodedata.is_normalized("NFC", said.vi + said.vi_remedy))
        == []
    )


def tables() -> Iterator[tuple[str, str]]:
    """Each key of each table as it is written, with its file."""
    for path in sorted((ROOT / "opsd" / "catalogue").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for key in node.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, path.name


def test_no_key_is_written_twice() -> None:
    counts = Counter(key for key, _ in tables())
    assert len(counts) > 100
    assert [key for key, count in counts.items() if count > 1] == []


def calls(*names: str) -> Iterator[str]:
    """The first argument of each call of one of `names` in opsd, where it is a literal text."""
    for path in sorted((ROOT / "opsd").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            for first in node.args[:1]:
                if name in names and isinstance(first, ast.Constant):
                    yield str(first.value)


def test_every_phase_of_a_run_has_a_name() -> None:
    phases = {f"phase.{phase}" for phase in calls("phase")}
    assert "phase.upload" in phases
    assert phases <= SENTENCES.keys()


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("outcome", [outcome.value for outcome in Outcome]),
        ("level", [level.word for level in Proof]),
        ("task", [task.value for task in Task]),
        ("kind", [kind.value for kind in MemberKind]),
        ("severity", [severity.name.lower() for severity in Severity]),
        ("status", [status.word for status in Status]),
        ("exit", [code.name.lower() for code in ExitCode]),
        ("help", [command.name for command in COMMANDS]),
    ],
)
def test_every_member_of_a_family_has_a_word(family: str, names: list[str]) -> None:
    assert {f"{family}.{name}" for name in names} <= SENTENCES.keys()


def errors_of_opsd(kind: type[OpsdError]) -> Iterator[type[OpsdError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from errors_of_opsd(narrower)


def test_every_error_that_is_raised_has_a_sentence() -> None:
    """A key is a literal with a dot, the first argument of an error or of `say`."""
    raised = calls("say", "sentence", *(error.__name__ for error in errors_of_opsd(OpsdError)))
    asked = {key for key in raised if "." in key}
    assert len(asked) > 40
    assert asked <= SENTENCES.keys()


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (0, "0,0 giây", "0.0 s"),
        (59.94, "59,9 giây", "59.9 s"),
        (59.96, "1 phút", "1 min"),
        (65, "1 phút 05 giây", "1 min 05 s"),
        (3600, "1 giờ", "1 h"),
        (86400, "24 giờ", "24 h"),
        (86400 * 3 + 3600 * 5, "3 ngày 05 giờ", "3 d 05 h"),
        (-90, "-1 phút 30 giây", "-1 min 30 s"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, vi: str, en: str) -> None:
    span = timedelta(seconds=seconds)
    assert catalogue.duration(Language.VI, span) == vi
    assert catalogue.duration(Language.EN, span) == en


def test_a_sentence_knows_its_language() -> None:
    said = Sentence("một", "one", "làm", "do")
    assert (said.what(Language.VI), said.remedy(Language.EN)) == ("một", "do")


def test_what_another_version_of_opsd_told_is_still_said() -> None:
    said = sentence(Language.EN, "wal.kept", {"repository": "main"})
    assert said == "main has every commit until ?"
    assert sentence(Language.EN, "wal.of_long_ago", {"repository": "main"}) == "wal.of_long_ago"


def test_an_error_within_a_sentence_is_what_the_outside_world_said() -> None:
    refused = DatabaseFailed("database.unreachable", detail="connection refused")
    assert quoted(refused) == "connection refused"
    assert quoted(OSError("no such file")) == "no such file"
    assert "cannot be reached" in quoted(DatabaseFailed("database.unreachable"))
