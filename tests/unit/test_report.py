"""Text that lines up in any language, and a progress line that fits any terminal."""

import io
import unicodedata

import pytest

from opsd.catalogue import Language
from opsd.cli.progress import Progress, View, line
from opsd.report import layout

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
