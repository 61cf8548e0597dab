"""What PostgreSQL's programs complain about, as it may be kept."""

import pytest

from opsd.drivers.pgtools import impersonal


@pytest.mark.parametrize(
    "complaint",
    [
        'ERROR:  invalid input syntax for type integer: "Nguyễn Văn A"',
        'ERROR:  date/time field value out of range: "Nguyễn Văn A"',
        'ERROR:  value "Nguyễn Văn A" is out of range for type integer',
        'ERROR:  malformed array literal: "Nguyễn Văn A"',
        "ERROR:  no\nDETAIL:  Failing row contains (Nguyễn Văn A).",
        'ERROR:  no\nCONTEXT:  COPY dossier, line 3: "Nguyễn Văn A"',
    ],
)
def test_no_word_of_a_row_is_kept(complaint: str) -> None:
    kept = impersonal(complaint)
    assert kept.startswith("ERROR:")
    assert "Nguyễn" not in kept


def test_what_names_objects_is_kept() -> None:
    assert "dossier" in impersonal('ERROR:  relation "dossier" does not exist')
