"""Sealed objects: nothing but what was written comes back, and OpenSSL opens them without opsd."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.drivers import seal
from opsd.drivers.seal import Seal
from opsd.errors import RepositoryDamaged, WrongPassword

KEYS = Seal(b"a" * 32, b"b" * 32)
NAME = "wal/dossiers/database/1/000000010000000000000001"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "repository-format.md"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("only for tests\n")
    return path


@given(content=st.binary(max_size=5000))
def test_what_was_sealed_comes_back(content: bytes) -> None:
    assert KEYS.open(NAME, KEYS.close(NAME, content)) == content


def test_the_same_content_never_looks_the_same_and_is_nowhere_to_be_seen() -> None:
    content = b"personal data " * 50
    one, another = KEYS.close(NAME, content), KEYS.close(NAME, content)
    assert one != another
    assert b"personal" not in one


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_changed_bit_is_found(place: int, bit: int) -> None:
    sealed = bytearray(KEYS.close(NAME, b"content"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(RepositoryDamaged):
        KEYS.open(NAME, bytes(sealed))


@pytest.mark.parametrize("kept", [0, 10, 48, -1])
def test_what_was_cut_is_found(kept: int) -> None:
    with pytest.raises(RepositoryDamaged):
        KEYS.open(NAME, KEYS.close(NAME, b"content")[:kept])


def test_one_object_cannot_stand_for_another() -> None:
    with pytest.raises(RepositoryDamaged):
        KEYS.open(f"{NAME}.00000000-00000010", KEYS.close(NAME, b"content"))


def test_keys_show_nothing_of_themselves() -> None:
    assert "aaa" not in repr(KEYS)


def test_only_the_password_opens_the_keys(password: Path) -> None:
    keys, kept = seal.new(password)
    assert seal.unwrap(kept, password) == keys
    password.write_text("another\n")
    with pytest.raises(WrongPassword):
        seal.unwrap(kept, password)
    with pytest.raises(RepositoryDamaged):
        seal.unwrap(kept[:-40], password)


def older(password: Path) -> tuple[seal.Seal, bytes]:
    """Keys as they were kept before."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr(seal, "_KDF", "PBKDF2-HMAC-SHA256")
        before.setattr(seal, "_ITERATIONS", 600_000)
        return seal.new(password)


def test_keys_that_were_kept_before_are_opened_and_others_are_refused(password: Path) -> None:
    keys, kept = older(password)
    assert seal.unwrap(kept, password) == keys
    with pytest.raises(RepositoryDamaged):
        seal.unwrap(kept.replace(b"SHA256", b"SHA3"), password)


@pytest.mark.parametrize("made", [seal.new, older])
def test_the_commands_of_the_document_open_an_object_without_opsd(
    password: Path, tmp_path: Path, made: Callable[[Path], tuple[seal.Seal, bytes]]
) -> None:
    keys, kept = made(password)
    (tmp_path / "key.json").write_bytes(kept)
    content = bytes(range(256)) * 100
    sealed = keys.close(NAME, content)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = next(block for block in blocks if "unwal()" in block)
    command = ["sh", "-c", f'{script}\nunwal "$1" key.json "$2"', "sh", str(password), NAME]
    opened = subprocess.run(command, cwd=tmp_path, input=sealed, capture_output=True, check=False)
    assert opened.stdout == content, opened.stderr.decode()
    spoilt = sealed[:-1] + bytes([sealed[-1] ^ 1])
    refused = subprocess.run(command, cwd=tmp_path, input=spoilt, capture_output=True, check=False)
    assert refused.returncode != 0
    assert not refused.stdout
