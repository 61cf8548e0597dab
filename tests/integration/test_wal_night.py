"""A night of a set with several logs and repositories: none keeps another from its turn."""

from __future__ import annotations

import shutil

import pytest

from opsd.errors import OpsdError, StorageFailed
from opsd.model import Outcome, Task
from opsd.tasks.journal import opened
from opsd.tasks.kit import Kit
from opsd.tasks.wal import nightly
from opsd.tasks.wal.bases import bases, take_base
from opsd.tasks.wal.log import logs_of
from tests.logs import WAL, guarded, held_until_now, with_far, with_log
from tests.site import SET, Site

NOBODY = """\
    members:
      absent:
        kind: postgres
        connection: host=/nowhere dbname=absent
        wal: {receivers: {here: {}}}
"""


def replays(kit: Kit) -> list[tuple[str, Outcome]]:
    """From where, and how they ended, oldest first."""
    found = reversed(kit.store.runs(Task.REPLAY, SET))
    return [(run.repository, end.outcome) for run, end in found if end]


def test_a_server_that_is_gone_keeps_no_other_from_its_night(site: Site) -> None:
    site.changes["    members:\n"] = NOBODY
    with guarded(with_far(site)) as (kit, log, heard):
        with pytest.raises(OpsdError, match="nowhere"):
            nightly.take_bases(kit, SET)
        assert [len(bases(log, name)) for name in ("main", "far")] == [1, 1]
        held_until_now(heard)
        for _ in range(2):
            with pytest.raises(OpsdError, match="no base copy"):
                nightly.replay_all(kit, SET)
        # What is gone had its turns too, and took none away from the other.
        assert [one for one in replays(kit) if one[1].good] == [
            ("main", Outcome.PASSED),
            ("far", Outcome.PASSED),
        ]
        assert len(replays(kit)) == 4


def test_no_base_copy_goes_into_another_repository_than_before(site: Site) -> None:
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        with opened(kit, Task.BASE, SET, "main") as journal:  # as if of another set
            journal.evidence("base", {"repository": "main"})
        with pytest.raises(StorageFailed) as replaced:
            take_base(kit, log)
        shutil.rmtree(site.repository)
        with pytest.raises(StorageFailed) as lost:
            take_base(kit, log)
        assert not site.repository.exists()
    assert (replaced.value.key, lost.value.key) == ("repository.replaced", "repository.lost")


def test_a_replay_waits_for_the_log_of_a_copy_that_was_just_taken(site: Site) -> None:
    with guarded(with_log(site, wal=WAL.replace("1s", "20s"))) as (kit, _, _):
        nightly.take_bases(kit, SET)
        assert nightly.replay_all(kit, SET).outcome is Outcome.PASSED


def test_a_person_reads_what_was_replayed(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
        asked = site.opsd("wal", "replay", SET, "--language", "en")
        said, wrong = asked.communicate(timeout=120)
        assert asked.returncode == 0, said + wrong
        told = kit.store.evidence(kit.store.runs(Task.REPLAY, SET)[0][0].id, "replayed")
        assert told
        assert "from main until the commit of " in said
        assert f"{told['tables']} tables, {told['rows']:,} rows were read" in said
