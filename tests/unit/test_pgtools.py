"""What PostgreSQL's programs complain about, and what their end says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers.pgtools import GLOBALS, Programs, impersonal
from opsd.errors import DatabaseFailed, OpsdError, ToolFailed


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


@pytest.mark.parametrize(
    ("does", "error", "key"),
    [
        ("kill -9 $$", ToolFailed, "pgtools.killed"),
        ("echo no such option >&2; exit 1", DatabaseFailed, "pgtools.failed"),
        ("echo 'psql:1: ERROR:  syntax error' >&2", DatabaseFailed, "globals.refused"),
        ("echo 'psql:1: ERROR:  role \"x\" already exists' >&2", None, ""),
    ],
)
def test_roles_that_were_refused_are_told_from_a_psql_that_came_to_nothing(
    does: str, error: type[OpsdError] | None, key: str, tmp_path: Path
) -> None:
    (tmp_path / "psql").write_text(f"#!/bin/sh\n{does}\n")
    (tmp_path / "psql").chmod(0o700)
    (tmp_path / GLOBALS).write_text("CREATE ROLE x;\n")
    programs = Programs(tmp_path, {}, timedelta(seconds=30))
    if error is None:
        programs.restore_roles(tmp_path / GLOBALS, "dbname=x")
        return
    with pytest.raises(error) as caught:
        programs.restore_roles(tmp_path / GLOBALS, "dbname=x")
    assert caught.value.key == key
