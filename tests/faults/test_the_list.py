"""The list of faults that opsd must never call a success, and where each is tried."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# what may happen -> words of the names under which it is tried, here
TRIED: dict[str, tuple[str, ...]] = {
    "a flipped byte in a pack": ("a flipped byte in the largest pack", "in a pack's header"),
    "a flipped byte in index, snapshot, config or key": (
        "a flipped byte in an index",
        "a flipped byte in a snapshot file",
        "a flipped byte in the config file",
        "a flipped byte in the key file",
    ),
    "a missing pack": ("a missing pack",),
    "a truncated pack": ("a pack cut in half", "a pack without its last byte"),
    "a missing or damaged index": ("a missing index", "an index cut in half"),
    "a deleted snapshot": ("the newest snapshot file deleted", "the oldest snapshot file deleted"),
    "a dump that dies at half": ("test_a_dump_that_dies_at_half",),
    "a table emptied between two runs": ("test_an_emptied_table_is_worth_a_look",),
    "scans deleted from the source": ("three scans deleted",),
    "a scan altered without its row": (
        "one scan altered without its row",
        "altered with its mtime put back",
        "altered with its mtime ahead",
    ),
    "a source that does not exist": ("test_a_source_that_does_not_exist",),
    "an unreadable file": ("a file that cannot be read", "a directory that cannot be listed"),
    "a wrong password": ("a wrong password",),
    "a repository in use": (
        "test_a_repository_held_by_another_run",
        "test_a_repository_locked_by_restic",
    ),
    "a full repository disk": ("a repository without room", "a repository that fills"),
    "a full scratch disk": ("a scratch without room", "a scratch that fills"),
    "PostgreSQL gone": (
        "test_the_source_killed_in_mid_dump",
        "test_the_throwaway_postgres_killed_in_mid_proof",
    ),
    "a wrong clock": ("an hour ahead", "an hour behind"),
    "the repository's directory gone": ("the repository's directory gone",),
    "a lock that somebody left": ("by a dead run of ours", "by a restic of another host"),
    "a lock that cannot be read": ("unreadable",),
    "kill -9 of restic while it prunes": ("test_restic_killed_in_the_middle_of_pruning",),
    "kill -9 of opsd": ("test_opsd_killed_at_any_moment", "test_retention_killed_at_any_moment"),
    "kill -9 of restic": ("restic while it stores", "restic while it restores"),
}


def names() -> set[str]:
    """Every string and every function's name in the tests beside this file."""
    found: set[str] = set()
    for path in HERE.glob("test_*.py"):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
    return found


@pytest.mark.parametrize("fault", TRIED, ids=str)
def test_is_tried(fault: str) -> None:
    present = names()
    missing = [words for words in TRIED[fault] if not any(words in name for name in present)]
    assert not missing
