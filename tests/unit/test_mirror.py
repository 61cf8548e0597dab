"""A directory becomes what another one is, and what is alike already is left alone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import pytest

from opsd.drivers import mirror as mirrors
from opsd.drivers.mirror import mirror
from opsd.drivers.process import NEVER, Stop
from opsd.errors import Cancelled, ToolFailed

LARGE = bytes(range(256)) * (3 << 12)  # a dozen pieces that are compared


def source(base: Path) -> Path:
    """Some of everything."""
    made = base / "source"
    (made / "deep" / "empty").mkdir(parents=True)
    (made / "large").write_bytes(LARGE)
    (made / "deep" / "small").write_bytes(b"small")
    (made / "nothing").write_bytes(b"")
    (made / "link").symlink_to("deep")
    (made / "deep").chmod(0o750)
    (made / "large").chmod(0o600)
    return made


def seen(root: Path) -> dict[str, tuple[int, str | bytes]]:
    """All below a directory: the mode, and the content or where it leads."""
    found: dict[str, tuple[int, str | bytes]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            content: str | bytes = str(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else "directory"
        found[str(path.relative_to(root))] = (path.lstat().st_mode, content)
    return found


def turned(at: int) -> Callable[[Path], None]:
    """One byte of the large file is another."""

    def harm(target: Path) -> None:
        content = bytearray((target / "large").read_bytes())
        content[at] ^= 1
        (target / "large").write_bytes(content)

    return harm


def of_size(size: int) -> Callable[[Path], None]:
    """The large file is longer or shorter."""
    return lambda target: os.truncate(target / "large", size)


def other_kind(name: str, kind: str) -> Callable[[Path], None]:
    """Something else lies under a name."""

    def harm(target: Path) -> None:
        path = target / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if kind == "directory":
            (path / "more").mkdir(parents=True)
        elif kind == "link":
            path.symlink_to(target.parent / "outside")
        else:
            path.write_bytes(b"another")

    return harm


HARMS: dict[str, Callable[[Path], None]] = {
    "nothing": lambda target: None,
    "first byte": turned(0),
    "last byte": turned(len(LARGE) - 1),
    "a byte of the second piece": turned((1 << 20) + 5),
    "longer": of_size(len(LARGE) + 1),
    "shorter": of_size(1 << 20),
    "gone": lambda target: (target / "deep" / "small").unlink(),
    "more": lambda target: (target / "deep" / "more").touch(),
    "more directories": lambda target: (target / "one" / "two").mkdir(parents=True),
    "another mode": lambda target: (target / "large").chmod(0o644),
    "link elsewhere": other_kind("link", "link"),
    "directory for a file": other_kind("large", "directory"),
    "link for a file": other_kind("large", "link"),
    "file for a directory": other_kind("deep", "file"),
    "link for a directory": other_kind("deep", "link"),
    "directory for a link": other_kind("link", "directory"),
}


@pytest.mark.parametrize("name", HARMS)
def test_whatever_lay_there_becomes_the_same(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "small").write_bytes(b"of somebody else")
    made, target = source(tmp_path), tmp_path / "target"
    mirror(made, target, NEVER)
    assert seen(target) == seen(made)
    HARMS[name](target)
    mirror(made, target, NEVER)
    assert seen(target) == seen(made)
    assert seen(outside) == {"small": (0o100644, b"of somebody else")}
    assert (target / "large").stat().st_mtime_ns == (made / "large").stat().st_mtime_ns


def test_what_is_alike_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    mirror(made, target, NEVER)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("opsd.drivers.mirror._write", full)
    monkeypatch.setattr(fcntl, "ioctl", full)
    mirror(made, target, NEVER)
    HARMS["last byte"](target)
    with pytest.raises(ToolFailed) as told:
        mirror(made, target, NEVER)
    assert told.value.key == "mirror.failed"
    assert "No space" in told.value.detail


@pytest.mark.parametrize("content", [LARGE, LARGE[::-1]], ids=["alike", "another"])
def test_another_name_of_a_file_keeps_what_it_had(tmp_path: Path, content: bytes) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    target.mkdir()
    before = tmp_path / "before"
    before.write_bytes(content)
    before.chmod(0o644)
    (target / "large").hardlink_to(before)
    mirror(made, target, NEVER)
    assert seen(target) == seen(made)
    assert (before.read_bytes(), before.stat().st_mode & 0o777) == (content, 0o644)


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    (tmp_path / "target" / "mounted").mkdir(parents=True)
    monkeypatch.setattr(shutil, "rmtree", busy)
    with pytest.raises(ToolFailed) as told:
        mirror(source(tmp_path), tmp_path / "target", NEVER)
    assert "busy" in told.value.detail


def test_it_ends_when_it_should(tmp_path: Path) -> None:
    stop = Stop()
    stop.request()
    with pytest.raises(Cancelled):
        mirror(source(tmp_path), tmp_path / "target", stop)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as told:
        mirror(tmp_path / "nowhere", tmp_path / "target", NEVER)
    assert told.value.key == "mirror.failed"
    assert "nowhere" in told.value.detail


def test_of_a_file_that_differs_only_the_piece_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    mirror(made, target, NEVER)
    turned(len(LARGE) // 2)(target)
    written: list[int] = []

    def counting(file: FileIO, piece: bytes | memoryview) -> None:
        written.append(len(piece))
        write(file, piece)

    write = mirrors._write
    monkeypatch.setattr(mirrors, "_write", counting)
    mirror(made, target, NEVER)
    assert seen(target) == seen(made)
    assert 0 < sum(written) < len(LARGE) / 8
