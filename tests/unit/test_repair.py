"""The plan of repair: its order, its commands, and that it removes nothing before the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from opsd.keeping import Object
from opsd.policy import repair
from opsd.policy.repair import Facts, StepName

AT = datetime(2026, 3, 1, tzinfo=UTC)
PACK = Object("data", "ab" * 32, 10, AT, read=True, sound=False)
FACTS = Facts(
    url="/srv/backup/opsd",
    password_file=Path("/etc/opsd/main.password"),
    restic="restic",
    env={},
    sets=("dossiers", "web"),
    damaged=(PACK,),
    affected=("cd" * 32,),
    kept=Path("/var/lib/opsd/repair/main"),
)


def names(facts: Facts) -> list[StepName]:
    return [step.name for step in repair.plan(facts)]


def test_the_order_is_that_of_the_manual() -> None:
    assert names(FACTS) == [
        StepName.STOP_PRUNING,
        StepName.KEEP,
        StepName.REPAIR_PACKS,
        StepName.REPAIR_INDEX,
        StepName.BACK_UP,
        StepName.BACK_UP,
        StepName.READ,
        StepName.REPAIR_SNAPSHOTS,
        StepName.PROVE,
        StepName.PROVE,
        StepName.ACKNOWLEDGE,
        StepName.ACKNOWLEDGE,
    ]


def test_each_command_can_be_typed_as_it_stands() -> None:
    steps = {step.name: step for step in repair.plan(FACTS)}
    opened = ("--repo", FACTS.url, "--password-file", "/etc/opsd/main.password")
    assert steps[StepName.REPAIR_PACKS].argv == ("restic", *opened, "repair", "packs", PACK.name)
    assert steps[StepName.REPAIR_PACKS].directory == FACTS.kept
    assert steps[StepName.REPAIR_INDEX].argv == ("restic", *opened, "repair", "index")
    assert steps[StepName.BACK_UP].argv == ("opsd", "backup", "web", "--no-prove")
    assert steps[StepName.KEEP].argv[-2:] == ("/srv/backup/opsd/snapshots", str(FACTS.kept))


def test_nothing_forgets_and_snapshots_are_touched_only_at_last() -> None:
    for step in repair.plan(FACTS):
        assert not {"forget", "prune", "--forget", "unlock"} & set(step.argv)
        assert step.last_resort is (step.name is StepName.REPAIR_SNAPSHOTS)


def test_a_lost_index_needs_no_repair_of_packs_and_a_bucket_is_copied_by_hand() -> None:
    index = replace(PACK, kind="index")
    found = names(replace(FACTS, damaged=(index,), affected=()))
    assert StepName.REPAIR_PACKS not in found
    assert StepName.REPAIR_SNAPSHOTS not in found
    keep = repair.plan(replace(FACTS, url="s3:https://s3.example.vn/b/p"))[1]
    assert (keep.name, keep.argv) == (StepName.KEEP, ())


def test_a_whole_repository_has_no_plan() -> None:
    assert repair.plan(replace(FACTS, damaged=())) == ()


def test_where_a_run_complained_and_no_object_is_known_the_index_is_repaired_all_the_same() -> None:
    found = names(replace(FACTS, damaged=(), affected=(), suspected=True))
    assert found[:4] == [
        StepName.STOP_PRUNING,
        StepName.KEEP,
        StepName.REPAIR_INDEX,
        StepName.BACK_UP,
    ]
