"""Which tests run in one process: those of files with the same `pytest.mark.xdist_group`.

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


@cache
def group(path: str) -> str | None:
    """The group that a test file puts itself in."""
    found = _MARK.search((_ROOT / path).read_text(encoding="utf-8"))
    return found[1] if found else None


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types of its schedulers
    """A group goes to one process; every other test to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0]) or nodeid
