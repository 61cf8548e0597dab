"""What a site's command said by its exit code and its manifest, and what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsd.errors import CommandFailed, OpsdError, Refused, ToolFailed
from opsd.model import Table
from opsd.policy.calls import PRODUCE, RESTORE, VERIFY, judge_exit, read
from opsd.tasks.members.command import artefact_files

KINDS = [
    (0, None, None),
    (1, CommandFailed, CommandFailed),
    (64, CommandFailed, CommandFailed),
    (69, CommandFailed, ToolFailed),
    (73, CommandFailed, Refused),
    (77, CommandFailed, ToolFailed),
    (126, CommandFailed, ToolFailed),
    (137, CommandFailed, ToolFailed),
    (-9, CommandFailed, ToolFailed),
]


@pytest.mark.parametrize(("code", "produce", "others"), KINDS)
def test_each_exit_code_is_one_kind_of_failure(
    code: int, produce: type[OpsdError] | None, others: type[OpsdError] | None
) -> None:
    for verb, kind in ((PRODUCE, produce), (RESTORE, others), (VERIFY, others)):
        found = judge_exit("ledger", verb, code, "one\n" * 9 + "last")
        assert type(found) is (type(None) if kind is None else kind), (verb, found)
        if found is not None:
            assert found.detail == "one\none\none\none\nlast"


def test_what_does_not_come_back_is_a_matter_of_integrity() -> None:
    found = judge_exit("ledger", RESTORE, 3, "")
    assert found is not None
    assert (found.key, found.reason) == ("command.bad", "integrity")


GOOD = {"source": "x 1", "tables": [{"name": "t", "rows": 1, "digest": "d"}]}


def test_a_manifest_is_read() -> None:
    assert read(json.dumps(GOOD).encode()).tables == (Table("", "t", (), 1, "d"),)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "{",
        "[]",
        "null",
        '{"source": "", "tables": []}',
        '{"tables": []}',
        '{"source": "x", "tables": {}}',
        '{"source": "x", "tables": [], "more": 1}',
        *(
            json.dumps({"source": "x", "tables": [table]})
            for table in (
                {"name": "t", "rows": -1, "digest": "d"},
                {"name": "t", "rows": True, "digest": "d"},
                {"name": "t", "rows": "1", "digest": "d"},
                {"name": "t", "rows": 1, "digest": ""},
                {"name": "", "rows": 1, "digest": "d"},
                {"name": "t", "rows": 1},
                {"name": "t", "rows": 1, "digest": "d", "note": "x"},
                "t",
            )
        ),
        json.dumps({"source": "x", "tables": [*GOOD["tables"], *GOOD["tables"]]}),
    ],
)
def test_a_manifest_that_is_none_is_refused(odd: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own, or ours with a word)
        read(odd.encode())


def test_an_artefact_holds_ordinary_files_alone(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a").write_bytes(b"x")
    assert [(f.path, f.size) for f in artefact_files(tmp_path, "ledger")] == [("below/a", 1)]
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(CommandFailed) as caught:
        list(artefact_files(tmp_path, "ledger"))
    assert caught.value.key == "command.odd_file"
