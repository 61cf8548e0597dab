"""What lies in a receiver's directory and keeps it from beginning is moved out of its way."""

from __future__ import annotations

import os
from pathlib import Path

from opsd.demo.psql import ask
from opsd.model import Outcome
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.planning import Goal, Ways
from tests.logs import guarded, held_until_now, sql, until, watched, with_log
from tests.site import Site

SHORT = 1 << 20  # bytes, less than a segment
WAYS = Ways(throwaway=True, here=False)


def test_a_file_that_a_receiver_had_not_made_to_its_end_keeps_it_from_nothing(site: Site) -> None:
    """A kill, a loss of power or a full disk leaves a file that pg_receivewal itself refuses."""
    with guarded(with_log(site), leave=True) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 'before' AS said")
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        held_until_now(heard)
    padding, cut = (newest(place) for place in log.directories.values())
    padding.write_bytes(b"\0" * SHORT)
    os.truncate(cut, SHORT)
    held = cut.read_bytes()
    assert any(held)
    site.system.cluster.start()
    with watched(site) as (kit, log, heard):
        until(lambda: heard.cause(log.subject) == "", 30)
        sql(site, "INSERT INTO moments VALUES ('after')")
        held_until_now(heard)
        assert padding.stat().st_size == cut.stat().st_size > SHORT
        assert not list(padding.parent.glob("aside-*"))
        (aside,) = cut.parent.glob("aside-*/*")
        assert aside.read_bytes() == held
        planned = planning.plan(log, Goal("now"), site.base / "back", WAYS)
        with recovering.recovered(kit, planned, WAYS) as (done, server):
            assert done.good
            rows = ask(server.connection("dossiers"), "SELECT said FROM moments")
            assert rows == [("before",), ("after",)]


def newest(place: Path) -> Path:
    """The file that a receiver writes."""
    (file,) = place.glob("*.partial")
    return file
