"""Manifests: any names, one order, and joins that miss nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsd import manifest
from opsd.drivers import manifests, tree
from opsd.manifest import DIRECTORY, FILE, LINK, OTHER, Entry

NAME = st.binary(min_size=1, max_size=12).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)
PATH = st.lists(NAME, min_size=1, max_size=4).map(b"/".join)
NUMBER = st.integers(min_value=-(2**63), max_value=2**63 - 1)
ENTRY = st.builds(
    Entry,
    path=PATH,
    kind=st.sampled_from((FILE, DIRECTORY, LINK, OTHER)),
    size=NUMBER,
    mode=NUMBER,
    uid=NUMBER,
    gid=NUMBER,
    mtime=NUMBER,
    ctime=NUMBER,
    inode=NUMBER,
    links=NUMBER,
    target=PATH,
    xattrs=st.text("0123456789abcdef", max_size=64),
    sha256=st.text("0123456789abcdef", max_size=64),
    state=st.sampled_from(("", "changed", "vanished", "appeared", "unreadable")),
)


@given(ENTRY)
def test_an_entry_survives_as_one_line(entry: Entry) -> None:
    line = manifest.encode(entry)
    assert "\n" not in line
    assert line.isascii()
    assert manifest.decode(line) == entry
    names = (entry.path, entry.target)
    path, target = (name.decode("utf-8", "surrogateescape") for name in names)
    fields = (path, *entry[1:10], target, *entry[11:])
    assert line == json.dumps(fields, separators=(",", ":"))


@given(st.sets(PATH, max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_walk_is_in_the_order_of_the_bytes(paths: set[bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        planted = set(plant(os.fsencode(directory), paths))
        found = [entry.path for entry in tree.walk(Path(directory))]
    assert found == sorted(found)
    assert {path for path in found if not path.endswith(b"/")} == planted


def itself(key: bytes) -> bytes:
    return key


def plant(top: bytes, paths: set[bytes]) -> Iterator[bytes]:
    """A file for each path that fits beside the others."""
    for path in sorted(paths):
        full = Path(os.fsdecode(top + b"/" + path))
        try:
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(path)
        except OSError:
            continue
        yield path


@given(st.sets(PATH), st.sets(PATH))
def test_a_join_gives_every_key_once_with_its_partner(one: set[bytes], two: set[bytes]) -> None:
    pairs = manifest.merge(sorted(one), sorted(two), itself, itself)
    joined = list(pairs)
    assert [left or right for left, right in joined] == sorted(one | two)
    assert {left for left, right in joined if right is None} == one - two
    assert {right for left, right in joined if left is None} == two - one
    assert all(left == right for left, right in joined if left is not None and right is not None)


def test_a_join_of_streams_out_of_order_is_refused() -> None:
    for one, two in (([b"b", b"a"], [b"x"]), ([b"x"], [b"b", b"a"])):
        pairs = manifest.merge(one, two, itself, itself)
        with pytest.raises(ValueError, match="out of order"):
            list(pairs)


@given(st.lists(ENTRY, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_manifest_is_written_whole_or_not_at_all(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "manifest"
        assert manifests.write(path, entries) == len(entries)
        assert list(manifests.read(path)) == entries

        def failing() -> Iterator[Entry]:
            yield from entries
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            manifests.write(path, failing())
        assert list(manifests.read(path)) == entries


@pytest.mark.parametrize("line", ["", "{}", "[]", "[1]", '["a"', '["a","f"]', "null"])
def test_a_line_that_is_no_entry_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no entry|Expecting"):
        manifest.decode(line)
