"""Manifests as files: written whole or not at all, read one entry at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from opsd.manifest import Entry, decode, encode


def write(path: Path, entries: Iterable[Entry]) -> int:
    """Write a manifest and return how many entries it has. Replaces `path` in one step.

    It lies in scratch, and lives as long as its run: nothing waits for the disk.
    """
    count = 0
    draft = path.with_name(path.name + ".draft")
    with draft.open("w", encoding="ascii") as sink:
        for entry in entries:
            sink.write(encode(entry))
            sink.write("\n")
            count += 1
    draft.replace(path)
    return count


def read(path: Path) -> Iterator[Entry]:
    """The entries of a manifest, in order."""
    with path.open(encoding="ascii") as source:
        for line in source:
            yield decode(line)
