"""What of the log is damaged in a repository is found by reading, and is missing from then on."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from opsd.drivers.storage import LocalStorage
from opsd.model import Outcome
from opsd.tasks.wal import planning
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.planning import Goal, Ways
from opsd.tasks.wal.replaying import replay
from opsd.tasks.wal.rereading import NIGHTS, reread
from opsd.wal import SEGMENT_BYTES, Segment, written
from tests.logs import finished, guarded, held_until_now, objects, spoil, sql, until, with_log
from tests.site import Site


@pytest.mark.usefixtures("listed_often")
def test_what_is_damaged_is_sent_again_or_is_a_gap_until_it_is_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        main = f"{log.subject}@main"
        sql(site, "CREATE TABLE moments AS SELECT 0 AS number")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        before = set(finished(site))
        for _ in range(4):
            sql(site, "INSERT INTO moments VALUES (1)")
            sql(site, "SELECT pg_switch_wal()")
        held_until_now(heard)
        until(lambda: len(set(finished(site)) - before) >= 4)
        cut, here, nowhere, _ = sorted(set(finished(site)) - before)[-4:]

        # What a lost power left of it is nothing, and it is sent again while a receiver has it.
        objects(site)[cut].write_bytes(b"")
        until(lambda: objects(site)[cut].stat().st_size > 0, 60)

        # A piece of the newest is another one than was listed: it is kept again from there on.
        piece = max(name for name in objects(site) if "-" in name)
        objects(site)[piece].write_bytes(objects(site)[cut].read_bytes()[:200])
        begin, newest = piece.partition("-")[0], Segment.of(piece[:24])
        assert newest
        until(lambda: sum(name.startswith(begin) for name in objects(site)) > 1, 30)
        archive = open_archive(log, "main", objects(site)[piece].parent.name, SEGMENT_BYTES)
        archive.holdings()
        assert archive.read(newest)

        good = objects(site)[nowhere].read_bytes()
        spoil(objects(site)[here])
        spoil(objects(site)[nowhere])
        for directory in log.directories.values():
            (directory / nowhere).unlink()
        # The replay cannot get over the first; whoever finds one looks at all.
        closing = replay(kit, log)
        assert closing.outcome is Outcome.FAILED
        told = {finding.key: finding.fields for finding in closing.findings}
        assert told["replay.damaged"]["names"] == [here, nowhere]

        until(lambda: heard.cause(main) == "gap", 60)
        lost = Segment.of(nowhere)
        assert lost
        assert heard.results[main].fields["begin"] == written(lost.start())
        assert heard.figure("opsd_wal_repository_gaps") == 1
        planned = planning.plan(log, Goal("now"), site.base / "back", Ways(here=False))
        assert list(reread(log, planned.stock, "main", range(NIGHTS)).damaged) == [lost]
        with monkeypatch.context() as failing:
            failing.setattr(LocalStorage, "get", no_more_of(here, LocalStorage.get))
            found = reread(log, planned.stock, "main", range(NIGHTS)).damaged
        assert list(found) == [Segment.of(here), lost]

        # Somebody brings it back.
        objects(site)[nowhere].write_bytes(good)
        until(lambda: heard.cause(main) == "", 60)
        assert replay(kit, log).outcome is Outcome.PASSED
        read = kit.last_told(log.backup_set, "reread", repository="main")
        assert read
        assert read["damaged"] == {}


def no_more_of(name: str, get: Callable[[LocalStorage, str], bytes]) -> object:
    """A disk that gives back all but one segment."""

    def failing(storage: LocalStorage, path: str) -> bytes:
        if path.endswith(name):
            raise OSError(errno.EIO, "Input/output error", path)
        return get(storage, path)

    return failing
