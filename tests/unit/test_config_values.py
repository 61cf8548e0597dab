"""Durations, sizes, connections and addresses, as people write them."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from opsd.catalogue import Size
from opsd.config.addresses import RepositoryUrl, read_connection
from opsd.config.secret import Secret
from opsd.config.units import (
    LARGEST,
    LONGEST,
    read_duration,
    read_size,
    write_duration,
    write_size,
)
from opsd.errors import ConfigError


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_a_duration_is_read_as_it_was_written(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert read_duration(write_duration(span)) == span


@given(st.integers(0, LARGEST))
def test_a_size_is_read_as_it_was_written(count: int) -> None:
    assert read_size(write_size(count)) == count


@given(st.integers(0, 1 << 20), st.sampled_from("kMGT"), st.sampled_from(["", "B", "iB"]))
def test_a_size_has_one_meaning_for_each_unit(count: int, letter: str, unit: str) -> None:
    step = 1000 if unit == "B" else 1024
    assert read_size(f"{count}{letter}{unit}") == count * step ** (1 + "kMGT".index(letter))


@given(st.text())
def test_any_text_is_a_duration_and_a_size_or_is_refused(text: str) -> None:
    for read in (read_duration, read_size):
        with suppress(PydanticCustomError):
            assert read(text) is not None


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1d12h", timedelta(hours=36)),
        ("1d 12h", timedelta(hours=36)),
        ("2w", timedelta(days=14)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_as_people_write_them(text: str, span: timedelta) -> None:
    assert read_duration(text) == span


@pytest.mark.parametrize(
    "wrong", ["", "h", "90", "12h1d", "1h1h", "1.5h", "-1h", "4 hours", "4H", " 1h", "١h", 90, None]
)
def test_what_is_no_duration(wrong: object) -> None:
    with pytest.raises(PydanticCustomError):
        read_duration(wrong)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500MiB", 500 << 20),
        ("2GiB", 2 << 30),
        ("2 gib", 2 << 30),
        ("1GB", 10**9),
        ("200k", 200 << 10),
        ("1.5T", 3 << 39),
        ("512B", 512),
        ("0", 0),
        (0, 0),
    ],
)
def test_sizes_as_people_write_them(text: object, count: int) -> None:
    size = read_size(text)
    assert (size, type(size)) == (count, Size)


@pytest.mark.parametrize(
    "wrong", ["", "5", 5, "G", "1,5G", "-1G", "1GiBs", "0.1B", "9" * 19 + "P", False, None]
)
def test_what_is_no_size(wrong: object) -> None:
    with pytest.raises(PydanticCustomError):
        read_size(wrong)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("dbname=a user = b", {"dbname": "a", "user": "b"}),
        ("options='-c a=b' dbname=''", {"options": "-c a=b", "dbname": ""}),
        (r"dbname='it\'s' host=\'", {"dbname": "it's", "host": "'"}),
        ("  ", {}),
    ],
)
def test_connections_are_read_as_libpq_reads_them(text: str, settings: dict[str, str]) -> None:
    assert read_connection(text) == settings


@pytest.mark.parametrize(
    "url",
    [
        "/srv/backup",
        "s3:https://host/bucket/prefix",
        "s3:host/bucket",
        "sftp:user@host:/path",
        "sftp:host:path",
        "sftp://user@host:2222//path",
        "rest:https://host:8000/path",
    ],
)
def test_addresses_of_repositories(url: str) -> None:
    assert TypeAdapter(RepositoryUrl).validate_python(url) == url


@pytest.mark.parametrize(
    "url", ["", "srv/backup", "./a:b", "s3:", "s3:/", "rest:host", "S3:a", "b2:a", 5, None]
)
def test_what_is_no_address_of_a_repository(url: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(RepositoryUrl).validate_python(url)


def test_a_secret_is_its_file() -> None:
    assert Secret(file=Path("/etc/opsd/a")).path() == Path("/etc/opsd/a")


def test_a_credential_is_found_where_systemd_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigError) as missing:
        Secret(credential="a").path()
    assert missing.value.key == "config.credential_missing"
    (tmp_path / "a").write_text("secret")
    assert Secret(credential="a").path() == tmp_path / "a"


def test_a_credential_without_systemd_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError) as caught:
        Secret(credential="a").path()
    assert caught.value.key == "config.credential_directory"
