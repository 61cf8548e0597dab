"""Text that lines up in any language, and a progress line that fits any terminal."""

import io
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest

from opsd.catalogue import SENTENCES, Language
from opsd.catalogue import proof as proof_sentences
from opsd.cli.progress import Progress, View, line
from opsd.model import Closing, Finding, Outcome, Proof, RecoveryPoint, Severity
from opsd.report import layout, text
from opsd.report.voice import Voice

WORDS = "Kết xuất cơ sở dữ liệu"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), (WORDS, 22), (unicodedata.normalize("NFD", WORDS), 22), ("日本", 4)],
)
def test_the_width_of_a_text_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert layout.width(text) == columns


def test_columns_line_up_whatever_the_characters() -> None:
    table = layout.table(
        ("TÊN", "CỠ"), [("cơ sở", "1"), (unicodedata.normalize("NFD", "tệp"), "12")], "<>"
    )
    assert len({layout.width(row) for row in table.splitlines()}) == 1


def test_a_long_value_hangs_below_its_beginning() -> None:
    text = layout.fields([("tên", "một hai ba bốn năm sáu")], "  ", 20)
    assert text.splitlines() == ["  tên  một hai ba", "       bốn năm sáu"]


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert layout.cut("abcdef", 4) == "abc…"
    assert layout.cut("abc", 4) == "abc"


HALF = View("upload", "scans", 1 << 30, 2 << 30, 50 << 20)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("columns", range(10, 140, 7))
def test_the_line_never_breaks_the_terminal(columns: int, language: Language) -> None:
    for view in (HALF, View("upload", "scans", 5, 0), View("dump", "x" * 200), View("new_phase")):
        assert layout.width(line(view, columns, language)) <= columns


def test_a_wide_terminal_shows_bar_amount_speed_and_time_left() -> None:
    assert line(HALF, 120, Language.EN) == (
        "Storing scans  [##########----------]   50%  1.0 GiB / 2.0 GiB  50.0 MiB/s  20.0 s left"
    )
    assert "còn 20,0 giây" in line(HALF, 120, Language.VI)


def test_a_total_that_was_too_small_never_shows_more_than_all() -> None:
    assert "100%" in line(View("dump", "", 30, 20), 80, Language.EN)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_that_is_left_clean() -> None:
    terminal = Terminal()
    progress = Progress(terminal, Language.EN)
    progress.phase("upload", "scans")
    progress.advance(1, 2)
    progress.close()
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_goes_on_at_the_same_time_shares_the_line_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    progress = Progress(terminal, Language.EN)
    other = progress.beside()
    progress.phase("dump", "database")
    other.phase("upload", "scans")
    progress.advance(3, 7)
    assert "3 bytes" not in terminal.getvalue(), "it is not its turn yet"
    monkeypatch.setattr("opsd.cli.progress._TURN_SECONDS", 0.0)
    progress.advance(4, 7)
    assert "Dumping database" in terminal.getvalue().rpartition("\r")[2]
    other.advance(5, 9)
    assert "Storing scans" in terminal.getvalue().rpartition("\r")[2]


def test_a_file_sees_one_line_a_phase() -> None:
    log = io.StringIO()
    progress = Progress(log, Language.EN)
    progress.phase("upload", "scans")
    progress.phase("upload", "scans")
    progress.advance(1, 2)
    progress.phase("record")
    progress.close()
    assert log.getvalue() == "opsd: Storing scans\nopsd: Recording\n"


def test_a_terminal_that_went_away_ends_nothing() -> None:
    terminal = Terminal()
    progress = Progress(terminal, Language.EN)
    terminal.close()
    progress.phase("upload")
    progress.advance(1, 2)
    progress.close()


# --------------------------------------------------------------------------------------- proofs

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
VOICE = Voice(Language.EN, UTC)
POINT = RecoveryPoint("r1", "dossiers", "main", "srv", NOW, (), complete=True)
FIGURES = {
    "tables": 7,
    "rows": 22630,
    "files": 6026,
    "bytes": 1 << 30,
    "reconciled_rows": 6026,
    "orphans": 0,
    "invariants": 1,
    "canaries": {"storage": True, "files:scans": False},
}


def proof(outcome: Outcome, *findings: Finding, **figures: object) -> str:
    ended = Closing("p1", NOW, outcome, timedelta(seconds=5), "", findings)
    said = text.proof(VOICE, ended, POINT, Proof.PROVED, {**FIGURES, **figures})
    return " ".join(said.split())


def test_a_proof_tells_what_was_compared_and_that_it_was_the_same() -> None:
    said = proof(Outcome.PASSED)
    assert said.startswith("PROVED: dossiers")
    assert "7 tables, 22,630 rows" in said
    assert said.count("THE SAME") == 3
    assert "ALL OF THEM HOLD" in said
    assert "2 things damaged on purpose, 1 of them caught" in said


@pytest.mark.parametrize(
    "key",
    [
        "proof.digest_differs",
        "proof.files.content",
        "reconcile.missing",
    ],
)
def test_a_comparison_with_a_fault_is_not_called_the_same(key: str) -> None:
    fields = {"table": "t", "rows": 1, "member": "m", "count": 1, "names": ["a"]}
    said = proof(Outcome.FAILED, Finding(Severity.FAULT, key, fields))
    assert said.startswith("FAILED: ")
    assert said.count("THE SAME") == 2
    assert said.count("DIFFERS") == 1


def test_a_proof_of_a_part_tells_how_sure_it_is() -> None:
    said = proof(Outcome.PASSED, parts=4, confidence=0.987)
    assert "1 part of 4" in said
    assert "98.7 %" in said


def test_a_proof_that_came_to_nothing_claims_nothing() -> None:
    ended = Closing("p1", NOW, Outcome.COULD_NOT_VERIFY, timedelta(seconds=5))
    said = text.proof(VOICE, ended, POINT, Proof.TAKEN, {})
    assert said.startswith("NOT CONCLUDED for dossiers: could not verify")
    assert "SAME" not in said


def test_every_fault_of_a_comparison_speaks_of_one() -> None:
    """A new kind of fault must not leave a line that says that all is the same."""
    about = (*text.OF_FILES, *text.OF_DATABASE, *text.OF_RECONCILIATION)
    apart = {
        "point.unknown",
        "proof.blind",
        "proof.covered",
        "proof.covered_in_part",
        "proof.fetch_failed",
        "proof.incomplete",
        "proof.invariant_broken",
        "proof.no_members",
        "proof.no_record",
        "proof.not_kept",
        "proof.out_of_time",
        "proof.read_nothing",
        "proof.sampled",
        "proof.server_died",
        "proof.server_failed",
        "repository.objects_damaged",
        "repository.snapshots_gone",
        "repository.tells_otherwise",
    }
    others = {key for key in proof_sentences.TABLE if not key.startswith(about)}
    assert others == apart
    assert apart <= SENTENCES.keys()
