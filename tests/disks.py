"""Filesystems of one's own on loop devices, and what can be done to them. Needs root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONTROL = Path("/sys/fs/cgroup/blkio")
_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


@dataclass(frozen=True)
class Loop:
    """An ext4 filesystem in a file, mounted."""

    image: Path
    device: str
    point: Path

    @property
    def name(self) -> str:
        """The device without its directory."""
        return Path(self.device).name

    @property
    def number(self) -> str:
        """Major and minor number, as the kernel's files have them."""
        return Path(f"/sys/block/{self.name}/dev").read_text(encoding="ascii").strip()


def run(*argv: str | Path) -> str:
    """Run a program that must succeed."""
    done = subprocess.run([*map(str, argv)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def loop(directory: Path, size: str, *options: str) -> Iterator[Loop]:
    """Make and mount one; taken away whatever happened to it."""
    image, point = directory / "image", directory / "disk"
    point.mkdir()
    run("truncate", "-s", size, image)
    device = run("losetup", "--find", "--show", image)
    try:
        run("mkfs.ext4", "-q", "-F", "-m", "0", *options, device)
        run("mount", device, point)
        try:
            yield Loop(image, device, point)
        finally:
            run("umount", "--lazy", point)
    finally:
        run("losetup", "--detach", device)


@contextmanager
def throttle(disk: Loop, bytes_per_second: int) -> Iterator[Path]:
    """A group of processes that reads and writes the disk no faster; gives its list."""
    group = CONTROL / f"opsd-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    try:
        for way in ("read", "write"):
            limit = group / f"blkio.throttle.{way}_bps_device"
            limit.write_text(f"{disk.number} {bytes_per_second}", encoding="ascii")
        yield group / "cgroup.procs"
    finally:
        _empty(group / "cgroup.procs")
        group.rmdir()


def _empty(members: Path) -> None:
    """Wait until the last of the group has got what it waits for from the disk."""
    end = time.monotonic() + 60
    while members.read_text(encoding="ascii").strip() and time.monotonic() < end:
        time.sleep(0.1)


@contextmanager
def silent_mount(point: Path) -> Iterator[None]:
    """A FUSE filesystem whose server never answers: whoever asks it waits for ever."""
    point.mkdir(exist_ok=True)
    server = os.open("/dev/fuse", os.O_RDWR)
    try:
        options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
        if _LIBC.mount(b"silent", bytes(point), b"fuse.silent", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        yield
    finally:
        os.close(server)  # the connection ends, and all who wait with it
        _LIBC.umount2(bytes(point), _DETACH)
