"""Files that are no configuration at all, files with many mistakes, and secrets in wrong places."""

import os
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.config.load import load, parse
from opsd.config.mistakes import ConfigMistakes

SECRET = "hunter2"

MANY = """\
language: english
timezone: Asia/Saigonn
lisen: 127.0.0.1:9851
clock: {max_offset: 1 minute}
repositories:
  main:
    url: b2:bucket
    password_file: main.password
    min_free: 5 gigs
backup_sets:
  dossiers:
    repository: man
    schedule: 25:00
    rpo: 24h
    rpo: 12h
    rto: 4h
    members:
      database: {kind: postgres, connection: dbname=dossiers, jobs: two}
      scans: {kind: files, path: scans}
    prove:
      invariants:
        - {name: every dossier has a procedure, member: databse, query: SELECT 1}
      reconcile:
        - {database: scans, files: scans, query: SELECT 1, orphans: reprot}
"""

BROKEN = {
    "an empty file": ("", 1, 1, "empty_file"),
    "comments only": ("# nothing\n", 1, 1, "empty_file"),
    "nothing, written out": ("---\nnull\n", 2, 1, "empty_file"),
    "a list": ("- a\n", 1, 1, "group_expected"),
    "a text": ("opsd\n", 1, 1, "group_expected"),
    "a tab": ("clock:\n\tmax_offset: 1s\n", 2, 1, "tab"),
    "a colon in a text": ("host: a: b\n", 1, 8, "colon"),
    "a name without a colon": ("host: a\nlanguage\n", 2, 1, "no_colon"),
    "an open quote": ('host: a\nstate: "/var\n', 2, 8, "quote"),
    "an open bracket": ("host: a\nclock: {max_offset: 1s\n", 2, 8, "bracket"),
    "a wrong indentation": ("clock:\n    max_offset: 1s\n  require_sync: true\n", 3, 3, "indent"),
    "an alias of nothing": ("host: *other\n", 1, 7, "anchor"),
    "an unknown escape": ('host: "a\\q"\n', 1, 10, "escape"),
    "two documents": ("host: a\n---\nhost: b\n", 2, 1, "second_document"),
    "a tag": ("host: !env HOST\n", 1, 7, "tag"),
    "a tag of YAML's own": ("a: !!python/object:os.system x\n", 1, 4, "tag"),
    "a merge of a text": ("<<: text\nhost: a\n", 1, 5, "merge"),
    "a list as a name": ("? [a]\n: b\n", 1, 3, "name_text"),
    "a character with a meaning": ("host: @a\n", 1, 7, "start"),
    "a bar with text after it": ("host: |a\n", 1, 7, "start"),
    "a bracket that closes nothing": ("host: ]\n", 1, 7, "start"),
    "a list item beside a value": ("host: - a\n", 1, 7, "indent"),
    "a control character": ("language: vi\nhost: a\x00b\n", 2, 8, "character"),
    "half a character": ('host: "\\uD800"\n', 1, 7, "character"),
    "too many brackets": ("a: " + "[" * 5000, 1, 1, "too_deep"),
}


@pytest.mark.parametrize(("text", "line", "column", "kind"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_configuration_is_told_in_the_same_form(
    text: str, line: int, column: int, kind: str
) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse(text, "opsd.yaml")
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.column, mistake.key) == (line, column, f"config.{kind}")
    for language in Language:
        assert caught.value.lines(language)[0].startswith(f"opsd.yaml:{line}:{column}: ")


def test_a_missing_file_is_told_in_the_same_form(tmp_path: Path) -> None:
    path = tmp_path / "opsd.yaml"
    with pytest.raises(ConfigMistakes) as caught:
        load(path)
    assert caught.value.lines(Language.VI) == (f"{path}:1:1: không có tệp này",)


def test_a_directory_is_told_in_the_same_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        load(tmp_path)
    assert caught.value.lines(Language.EN) == (
        f"{tmp_path}:1:1: this is a directory, a file is needed",
    )


def test_a_file_that_may_not_be_read_is_told_in_the_same_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, os.strerror(13), path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigMistakes) as caught:
        load(tmp_path / "opsd.yaml")
    assert [mistake.key for mistake in caught.value.mistakes] == ["config.file_forbidden"]


def test_bytes_that_are_not_utf8_are_told_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "opsd.yaml"
    path.write_bytes("# hồ sơ\nhost: ".encode() + b"\xe9\n")
    with pytest.raises(ConfigMistakes) as caught:
        load(path)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.column, mistake.key) == (2, 7, "config.not_utf8")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "opsd.yaml"
    path.write_bytes(b"\xef\xbb\xbfhost: 1\n")
    with pytest.raises(ConfigMistakes) as caught:
        load(path)
    assert (1, 7) in {(mistake.line, mistake.column) for mistake in caught.value.mistakes}


def test_all_mistakes_are_told_at_once_and_in_order() -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse(MANY)
    told = [(mistake.line, mistake.path, mistake.key) for mistake in caught.value.mistakes]
    here = "backup_sets.dossiers"
    assert told == [
        (1, "language", "config.choice"),
        (2, "timezone", "config.zone"),
        (3, "lisen", "config.unknown"),
        (4, "clock.max_offset", "config.duration"),
        (7, "repositories.main.url", "config.url_scheme"),
        (8, "repositories.main.password_file", "config.secret_file"),
        (9, "repositories.main.min_free", "config.size"),
        (12, f"{here}.repository", "config.no_such_name"),
        (13, f"{here}.schedule", "config.time"),
        (15, f"{here}.rpo", "config.twice"),
        (18, f"{here}.members.database.jobs", "config.whole_number_expected"),
        (19, f"{here}.members.scans.path", "config.absolute"),
        (22, f"{here}.prove.invariants[0].member", "config.no_such_name"),
        (24, f"{here}.prove.reconcile[0].database", "config.member_kind"),
        (24, f"{here}.prove.reconcile[0].orphans", "config.choice"),
    ]
    meant = [mistake.fields.get("close") for mistake in caught.value.mistakes]
    assert [close for close in meant if close] == [
        "Asia/Saigon",
        "listen",
        "main",
        "database",
        "report",
    ]


def test_two_mistakes_in_one_line_are_told_from_left_to_right() -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse("clock: {require_sync: 1, max_offset: 2}\n")
    clock = [mistake.path for mistake in caught.value.mistakes if mistake.line == 1]
    assert clock[-2:] == ["clock.require_sync", "clock.max_offset"]


LEAKS = {
    "in a connection": f"connection: 'dbname=a password={SECRET}'",
    "in a connection, quoted": f"connection: \"dbname=a password = '{SECRET}'\"",
    "in a connection, with a space": f"connection: 'dbname=a password=x {SECRET}=1'",
    "in a connection, alone": f"connection: '{SECRET}'",
    "in a connection, as an address": f"connection: postgresql://opsd:{SECRET}@host/a",
    "in place of the password file": f"passfile: {SECRET}",
    "in place of a credential": f"passfile_credential: '{SECRET}!'",
    "as a number": "passfile: 4815162342",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_secret_in_a_member_is_a_mistake_and_is_never_repeated(leak: str) -> None:
    members = "kind: postgres\n        " + leak
    text = f"backup_sets:\n  a:\n    members:\n      database:\n        {members}\n"
    with pytest.raises(ConfigMistakes) as caught:
        parse(text)
    assert 6 in {mistake.line for mistake in caught.value.mistakes}
    for language in Language:
        assert SECRET not in caught.value.text(language)
        assert "4815162342" not in caught.value.text(language)


@pytest.mark.parametrize(
    "url",
    [
        f"rest:https://opsd:{SECRET}@host/repository",
        f"s3:https://key:{SECRET}@host/bucket",
        f"sftp:opsd:{SECRET}@host:/srv",
        f"sftp://opsd:{SECRET}@host//srv",
        f"rest:https://[opsd:{SECRET}@host/",
        f"s3:key:{SECRET}@host/bucket",
    ],
)
def test_a_secret_in_an_address_is_a_mistake_and_is_never_repeated(url: str) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse(f"repositories: {{main: {{url: '{url}'}}}}\n")
    assert "config.url_secret" in {mistake.key for mistake in caught.value.mistakes}
    assert not any(SECRET in caught.value.text(language) for language in Language)
