"""Which tests run in one process, and which are begun first.

Those of files with the same `pytest.mark.xdist_group` share a server and run in one process, those
of a file of unit tests too: there are many and they are short. What takes long is begun first, so
that at the end nobody waits for one test.

pytest-xdist 3.8 writes the group into an attribute of the test that pytest 9.2 no longer has, so
that its own `--dist=loadgroup` keeps nothing together, without a word. This reads the file.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).resolve().parent.parent
_MARK = re.compile(r'^pytestmark = pytest\.mark\.xdist_group\("([\w-]+)"\)$', re.MULTILINE)
_SHORT = ("tests/unit/", "tests/architecture/")
# The longest first: groups by their name, files and tests by the beginning of theirs.
_LONG = (
    "watch",
    "hosts",
    "benchmarks",
    "tests/integration/test_retention.py::test_a_season_of_nights",
    "cli",
    "s3",
    "demo",
    "disks",
    "tests/faults/test_retaining.py",
    "tests/faults/test_dying.py",
    "tests/integration/test_daemon.py",
    "tests/integration/test_restore.py",
    "tests/integration/test_wal",
    "tests/faults/",
    "tests/integration/",
)


@cache
def group(path: str) -> str | None:
    """The group that a test file puts itself in."""
    found = _MARK.search((_ROOT / path).read_text(encoding="utf-8"))
    return found[1] if found else None


def scope(nodeid: str) -> str:
    """What runs in one process with a test."""
    path = nodeid.partition("::")[0]
    return group(path) or (path if path.startswith(_SHORT) else nodeid)


def turn(nodeid: str) -> int:
    """When a test is begun: the lower the sooner."""
    one = scope(nodeid)
    return next((n for n, long in enumerate(_LONG) if one.startswith(long)), len(_LONG))


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types of its schedulers
    """A group goes to one process; every other test to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
