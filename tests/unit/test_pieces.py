"""A directory becomes what a map says, and what is so already is left alone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path

import pytest

from opsd.drivers import pieces
from opsd.drivers.process import NEVER, Stop
from opsd.errors import Cancelled, RepositoryDamaged, ToolFailed
from opsd.extents import PIECE, CopiedFile, Extent, ExtentMap

LARGE = bytes(range(256)) * (3 << 12)  # a dozen pieces


def source(base: Path) -> Path:
    """Some of everything."""
    made = base / "source"
    (made / "deep" / "empty").mkdir(parents=True)
    (made / "large").write_bytes(LARGE)
    (made / "deep" / "small").write_bytes(b"small")
    (made / "nothing").write_bytes(b"")
    (made / "deep").chmod(0o750)
    (made / "large").chmod(0o600)
    return made


def mapped(root: Path) -> ExtentMap:
    """The map of a directory; each file in a pack of its own name."""
    directories, files = {".": stat.S_IMODE(root.stat().st_mode)}, {}
    for path in sorted(root.rglob("*")):
        name, mode = str(path.relative_to(root)), stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            directories[name] = mode
            continue
        content = path.read_bytes()
        digests = [pieces.digest(content[at : at + PIECE]) for at in range(0, len(content), PIECE)]
        extents = [Extent(0, len(content), name, 0)] if content else []
        files[name] = CopiedFile(mode, len(content), extents, digests)
    return ExtentMap(directories, files)


def bring(made: Path, target: Path, stop: Stop = NEVER) -> None:
    """The whole directory."""
    target.mkdir(exist_ok=True)
    wanted = mapped(made)
    pieces.lay(target, wanted)
    pieces.copy(made, target, wanted.files, stop)


def fetched(made: Path, target: Path) -> int:
    """The same, what lacks alone; gives how many bytes that was."""
    target.mkdir(exist_ok=True)
    wanted = mapped(made)
    with pieces.laying(target, wanted):
        lacking = list(pieces.lacking(target, wanted.files, NEVER))
    for name, spans in lacking:
        for begin, end in spans:
            content = memoryview((made / name).read_bytes())[begin:end]
            pieces.write(target / name, wanted.files[name].mode, begin, content)
    return sum(end - begin for _, spans in lacking for begin, end in spans)


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
        shutil.rmtree(path) if path.is_dir() else path.unlink()
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
    "a byte of the second piece": turned(PIECE + 5),
    "longer": of_size(len(LARGE) + 1),
    "shorter": of_size(1 << 20),
    "gone": lambda target: (target / "deep" / "small").unlink(),
    "more": lambda target: (target / "deep" / "more").touch(),
    "more directories": lambda target: (target / "one" / "two").mkdir(parents=True),
    "another mode": lambda target: (target / "large").chmod(0o644),
    "a link more": lambda target: (target / "link").symlink_to("deep"),
    "directory for a file": other_kind("large", "directory"),
    "link for a file": other_kind("large", "link"),
    "file for a directory": other_kind("deep", "file"),
    "link for a directory": other_kind("deep", "link"),
}


@pytest.mark.parametrize("way", [bring, fetched])
@pytest.mark.parametrize("name", HARMS)
def test_whatever_lay_there_becomes_the_same(
    tmp_path: Path, name: str, way: Callable[[Path, Path], object]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "small").write_bytes(b"of somebody else")
    made, target = source(tmp_path), tmp_path / "target"
    way(made, target)
    assert seen(target) == seen(made)
    HARMS[name](target)
    way(made, target)
    assert seen(target) == seen(made)
    assert seen(outside) == {"small": (0o100644, b"of somebody else")}


def test_what_is_alike_is_neither_read_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    bring(made, target)
    assert fetched(made, target) == 0

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("opsd.drivers.pieces._write", full)
    monkeypatch.setattr(fcntl, "ioctl", full)
    bring(made, target)
    HARMS["last byte"](target)
    with pytest.raises(ToolFailed) as told:
        bring(made, target)
    assert told.value.key == "mirror.failed"
    assert "No space" in told.value.detail


def test_of_a_file_that_differs_only_the_piece_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    bring(made, target)
    turned(len(LARGE) // 2)(target)
    written: list[int] = []

    def counting(file: FileIO, begin: int, piece: memoryview) -> None:
        written.append(len(piece))
        write(file, begin, piece)

    write = pieces._write
    monkeypatch.setattr(pieces, "_write", counting)
    bring(made, target)
    assert seen(target) == seen(made)
    assert written == [PIECE]
    turned(len(LARGE) // 2)(target)
    assert fetched(made, target) == PIECE
    assert seen(target) == seen(made)


@pytest.mark.parametrize("content", [LARGE, LARGE[::-1]], ids=["alike", "another"])
@pytest.mark.parametrize("way", [bring, fetched])
def test_another_name_of_a_file_keeps_what_it_had(
    tmp_path: Path, content: bytes, way: Callable[[Path, Path], object]
) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    target.mkdir()
    before = tmp_path / "before"
    before.write_bytes(content)
    before.chmod(0o644)
    (target / "large").hardlink_to(before)
    way(made, target)
    assert seen(target) == seen(made)
    assert (before.read_bytes(), before.stat().st_mode & 0o777) == (content, 0o644)


@pytest.mark.parametrize("harm", ["last byte", "shorter", "a byte of the second piece"])
def test_a_source_that_is_not_what_its_digests_say_is_refused(tmp_path: Path, harm: str) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    wanted = mapped(made)
    HARMS[harm](made)
    target.mkdir()
    pieces.lay(target, wanted)
    with pytest.raises(RepositoryDamaged, match="large"):
        pieces.copy(made, target, wanted.files, NEVER)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o000])
def test_a_file_that_its_own_account_may_not_write_comes_back_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    wanted = mapped(made)
    target.mkdir()
    opened = pieces._open

    def as_nobody(path: str, flags: int) -> int:
        if Path(path).exists() and not Path(path).stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags)

    monkeypatch.setattr(pieces, "_open", as_nobody)
    for begin in range(0, len(LARGE), PIECE):
        part = memoryview(LARGE)[begin : begin + PIECE]
        pieces.write(target / "large", mode, begin, part)
    assert (target / "large").read_bytes() == LARGE
    assert stat.S_IMODE((target / "large").stat().st_mode) == mode
    (target / "large").write_bytes(LARGE[:-1])
    files = {"large": replace(wanted.files["large"], mode=mode)}
    pieces.copy(made, target, files, NEVER)
    assert (target / "large").read_bytes() == LARGE


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    (tmp_path / "target" / "mounted").mkdir(parents=True)
    monkeypatch.setattr(shutil, "rmtree", busy)
    with pytest.raises(ToolFailed) as told:
        bring(source(tmp_path), tmp_path / "target")
    assert "busy" in told.value.detail


def test_it_ends_when_it_should(tmp_path: Path) -> None:
    stop = Stop()
    stop.request()
    with pytest.raises(Cancelled):
        bring(source(tmp_path), tmp_path / "target", stop)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    made = source(tmp_path)
    wanted = mapped(made)
    (made / "large").unlink()
    (tmp_path / "target").mkdir()
    pieces.lay(tmp_path / "target", wanted)
    with pytest.raises(ToolFailed) as told:
        pieces.copy(made, tmp_path / "target", wanted.files, NEVER)
    assert told.value.key == "mirror.failed"
    assert "large" in told.value.detail


def test_what_is_another_name_gives_way_before_its_own_is_made(tmp_path: Path) -> None:
    made, target = source(tmp_path), tmp_path / "target"
    for number in range(300):
        (made / f"empty{number}").write_bytes(b"")
    shutil.copytree(made, target, copy_function=os.link)
    for number in range(300):
        (target / f"stray{number}").write_bytes(b"s")
    fetched(made, target)
    assert seen(target) == seen(made)
    assert all(path.stat().st_nlink == 1 for path in target.rglob("*") if path.is_file())
