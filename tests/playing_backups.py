"""Rows: what was seen of backups and repositories, and what is planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opsd.keeping import Object
from opsd.model import CheckId
from opsd.policy import repair
from tests.playing import NOW, Case

SET = CheckId("", "backup", "dossiers")


def runs(reason: str, under_way: str = "", proof: str = "") -> dict[tuple[str, str], object]:
    told = {
        "reason": reason,
        "outcome": "failed" if reason else "succeeded",
        "proof_reason": proof,
        "proof_outcome": "failed" if proof else "passed",
        "under_way": under_way,
        "repository": "main",
        "told": f"backup: {reason}",
    }
    return {("last_runs", "dossiers"): told, ("room", "dossiers"): "/srv: 1 GiB"}


def lock(whose: str) -> dict[str, object]:
    return {"id": "ab" * 32, "owner": "root@x", "whose": whose, "told": whose}


def point(name: str, **marks: object) -> dict[str, object]:
    told = {"id": name, "complete": True, "proved": True, "calm": True, "members": ("files",)}
    return {**told, "at": NOW, "told": name, **marks}


def dropping(goes: int, against: str = "") -> dict[str, object]:
    return {"set": "dossiers", "goes": goes, "against": against, "told": "2 points"}


def backup(
    name: str, playbook: str, *says: str, does: tuple[str, ...] = (), **more: object
) -> Case:
    return replace(Case(name, playbook, SET, "backup", says, does), **more)  # type: ignore[arg-type]


HARM = {
    "repository": "main",
    "told": "data/ab",
    "steps": tuple(
        {"step": step.name.value, "set": step.backup_set}
        for step in repair.plan(
            repair.Facts(
                url="/srv/backup",
                password_file=Path("/etc/opsd/main.password"),
                restic="restic",
                env={},
                sets=("dossiers", "web"),
                damaged=(Object("data", "ab" * 32, 10, NOW, read=True, sound=False),),
                affected=("cd" * 32,),
                kept=Path("/var/lib/opsd/repair/main"),
            )
        )
    ),
}
BACKUP_CASES = (
    backup(
        "a backup that was interrupted",
        "backup_failed",
        "failed",
        does=("back_up", "prove"),
        known=runs("interrupted"),
    ),
    backup(
        "a backup that is overdue",
        "backup_failed",
        "overdue",
        does=("back_up", "prove"),
        known=runs(""),
    ),
    backup("a backup that a person must mend", "backup_failed", "person", known=runs("password")),
    backup("a backup that runs", "backup_failed", "running", known=runs("timeout", under_way="r1")),
    backup("a backup of no set", "backup_failed", "unknown"),
    backup(
        "a lock of the dead",
        "stale_lock",
        "dead",
        does=("unlock", "back_up"),
        known={**runs("locked"), ("locks", "dossiers"): (lock("dead"), lock("unknown"))},
    ),
    backup(
        "a lock of the living",
        "stale_lock",
        "alive",
        known={**runs("locked"), ("locks", "dossiers"): (lock("dead"), lock("foreign"))},
    ),
    backup(
        "a lock that is gone",
        "stale_lock",
        "gone",
        does=("back_up",),
        known={**runs("locked"), ("locks", "dossiers"): ()},
    ),
    backup("no lock", "stale_lock", "other", known=runs("timeout"), passes_on=True),
    backup(
        "no room for a backup",
        "repository_full",
        "drop",
        does=("retain_dossiers",),
        known={**runs("space"), ("dropping", "dossiers"): (dropping(2),)},
    ),
    backup(
        "no room and nothing to drop",
        "repository_full",
        "nothing",
        known={**runs("space"), ("dropping", "dossiers"): (dropping(0),)},
    ),
    backup(
        "no room and frozen",
        "repository_full",
        "nothing",
        "against",
        known={**runs("space"), ("dropping", "dossiers"): (dropping(2, "proof"),)},
    ),
    backup("room enough", "repository_full", "other", known=runs("timeout"), passes_on=True),
    Case(
        "a full disk under a repository",
        "repository_full",
        CheckId("h", "filesystems", "/srv"),
        "filesystem_full",
        ("drop",),
        ("retain_dossiers",),
        known={("sets", "main"): ("dossiers",), ("dropping", ""): (dropping(1),)},
        options={"places": {"main": {"host": "h", "point": "/srv"}}},
    ),
    Case(
        "a repository that says so itself",
        "repository_full",
        CheckId("", "repository", "main"),
        "room_low",
        ("drop",),
        ("retain_dossiers",),
        known={("sets", "main"): ("dossiers",), ("dropping", ""): (dropping(1),)},
    ),
    Case(
        "a full disk beside it",
        "repository_full",
        CheckId("h", "filesystems", "/var"),
        "filesystem_full",
        ("other",),
        options={"places": {"main": {"host": "h", "point": "/srv"}}},
        passes_on=True,
    ),
    backup(
        "a damaged repository",
        "repository_damaged",
        "found",
        does=(
            "freeze_retention",
            "keep_index",
            "repair_packs",
            "repair_index",
            "back_up",
            "back_up_2",
            "read_again",
            "repair_snapshots",
            "prove",
            "prove_2",
        ),
        known={**runs("", proof="integrity"), ("damage", "dossiers"): HARM},
    ),
    backup(
        "a damaged repository whose set is being backed up",
        "repository_damaged",
        "running",
        known={**runs("", under_way="r1"), ("damage", "dossiers"): HARM},
    ),
    backup(
        "a sound repository", "repository_damaged", "other", known=runs("timeout"), passes_on=True
    ),
    Case(
        "much changed",
        "mass_change",
        SET,
        "data",
        ("calm", "isolate"),
        (
            "freeze_retention",
            "hold_point",
            "processes_1",
            "connections_1",
            "logins_1",
            "sessions_1",
            "open_files_1",
        ),
        known={("points", "dossiers"): (point("p3", calm=False), point("p2"), point("p1"))},
        options={"evidence": ["web1"]},
    ),
    Case(
        "much changed always",
        "mass_change",
        SET,
        "data",
        ("no_calm", "isolate"),
        ("freeze_retention",),
        known={("points", "dossiers"): (point("p3", calm=False),)},
    ),
    Case("a host to isolate", "isolate_host", CheckId("web1", ""), "", ("found",), ("isolate",)),
    Case(
        "a host that nobody reaches",
        "isolate_host",
        CheckId("web1", ""),
        "",
        ("no_way",),
        unreached=("web1",),
    ),
    Case(
        "a member to restore",
        "restore_member",
        CheckId("", "", "dossiers/files"),
        "",
        ("proved",),
        ("hold_point", "restore"),
        known={("points", "dossiers"): (point("p3", proved=False), point("p2"))},
    ),
    Case(
        "a member at a point",
        "restore_member",
        CheckId("", "", "dossiers/files@p3"),
        "",
        ("not_proved",),
        ("hold_point", "restore"),
        known={("points", "dossiers"): (point("p3", proved=False), point("p2"))},
    ),
    Case(
        "a point that is two",
        "restore_member",
        CheckId("", "", "dossiers/files@p"),
        "",
        ("none",),
        known={("points", "dossiers"): (point("p3"), point("p2"))},
    ),
    Case(
        "a member that is not",
        "restore_member",
        CheckId("", "", "dossiers/x"),
        "",
        ("none",),
        known={("points", "dossiers"): (point("p3"),)},
    ),
)
