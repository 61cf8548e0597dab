"""A recovered cluster is no part of what surrounded the lost one: its settings are cleared.

All of it is written into `postgresql.auto.conf`, which stands over every other file, wherever the
lost server's settings are and however they are written. While opsd replays, none of what that file
says holds: memory, libraries and certificates of the lost machine may not be had on this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_AUTO = "postgresql.auto.conf"
# What would hang, write to others, or follow others, were it left as the lost server had it.
_CLEARED: Mapping[str, str] = {
    "archive_cleanup_command": "",
    "archive_command": "",
    "archive_library": "",
    "archive_mode": "off",  # with no command the log would be kept until the disk is full
    "primary_conninfo": "",
    "primary_slot_name": "",
    "promote_trigger_file": "",
    "recovery_end_command": "",
    "recovery_min_apply_delay": "0",  # it holds for a replay from the archive too
    "restore_command": "",
    "synchronous_standby_names": "",
    "synchronized_standby_slots": "",
}
# A server does not start with a setting that it does not know.
_SINCE = {"archive_library": 15, "synchronized_standby_slots": 17}
_UNTIL = {"promote_trigger_file": 15}
_TARGETS = tuple(f"recovery_target{one}" for one in ("", "_lsn", "_name", "_time", "_xid"))
_NAME = re.compile(r"\s*([a-z_]\w*)", re.IGNORECASE | re.ASCII)


@contextmanager
def cleared(data: Path, major: int) -> Iterator[None]:
    """A cluster without the settings that were made in it; afterwards it has what may stay."""
    clear(data, major)
    auto, kept = data / _AUTO, data / f"{_AUTO}.kept"
    auto.replace(kept)
    auto.touch()
    try:
        yield
    finally:
        kept.replace(auto)


def clear(data: Path, major: int) -> None:
    """Take out of a cluster's settings what would hang or harm; its others stay."""
    auto = data / _AUTO
    before = auto.read_text(encoding="utf-8").splitlines() if auto.exists() else []
    kept = [line for line in before if not _is_cleared(_setting(line))]
    cleared = {
        name: value
        for name, value in _CLEARED.items()
        if _SINCE.get(name, 0) <= major <= _UNTIL.get(name, major)
    }
    auto.write_text("\n".join([*kept, *_lines(cleared)]) + "\n", encoding="utf-8")
    for name in ("standby.signal", "recovery.signal", "postmaster.pid"):
        (data / name).unlink(missing_ok=True)


def wait_at(data: Path, replaying: Mapping[str, str]) -> None:
    """Let a cluster that was paused be paused there again by whoever starts it.

    A target that other files name would be a second one: it is taken back first.
    """
    others = {name: "" for name in _TARGETS if name not in replaying}
    with (data / _AUTO).open("a", encoding="utf-8") as auto:
        auto.write("\n".join([*_lines(others), *_lines(replaying)]) + "\n")


def _is_cleared(name: str) -> bool:
    return name in _CLEARED or name.startswith("recovery_target")


def _setting(line: str) -> str:
    """The setting that a line is about: its name in any case, with `=` or without."""
    found = _NAME.match(line)
    return found[1].lower() if found else ""


def _lines(settings: Mapping[str, str]) -> list[str]:
    return [f"{name} = {_quoted(value)}" for name, value in settings.items()]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
