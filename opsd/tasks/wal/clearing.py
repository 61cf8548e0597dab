"""A recovered cluster is no part of what surrounded the lost one: its settings are cleared."""

from __future__ import annotations

from pathlib import Path

# What would hang, write to others, or follow others, were it left as the lost server had it.
_CLEARED = (
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "primary_conninfo",
    "primary_slot_name",
    "promote_trigger_file",
    "recovery_end_command",
    "synchronous_standby_names",
)


def clear(data: Path) -> None:
    """Take out of a cluster's own settings what would hang or harm; its others stay."""
    auto = data / "postgresql.auto.conf"
    before = auto.read_text(encoding="utf-8").splitlines() if auto.exists() else []
    kept = [
        line for line in before if _setting(line) not in _CLEARED and "recovery_target" not in line
    ]
    cleared = [f"{name} = ''" for name in _CLEARED if name in _present(data)]
    auto.write_text("\n".join([*kept, *cleared]) + "\n", encoding="utf-8")
    for name in ("standby.signal", "recovery.signal", "postmaster.pid"):
        (data / name).unlink(missing_ok=True)


def _present(data: Path) -> set[str]:
    """What the other file of settings sets: an empty value must stand over it."""
    own = data / "postgresql.conf"
    text = own.read_text(encoding="utf-8", errors="replace") if own.exists() else ""
    return {name for line in text.splitlines() if (name := _setting(line)) in _CLEARED}


def _setting(line: str) -> str:
    return line.partition("=")[0].strip() if not line.lstrip().startswith("#") else ""
