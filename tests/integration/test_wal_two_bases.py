"""Two machines take a base copy into one repository at the same time: neither loses its log."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from opsd.model import Outcome
from opsd.tasks.wal import bases as module
from opsd.tasks.wal import planning
from opsd.tasks.wal.bases import bases, needs, take_base
from opsd.tasks.wal.planning import Goal
from opsd.tasks.wal.taking import Taken, taken
from tests.logs import guarded, held_until_now, sql, with_log
from tests.site import Site


def test_a_base_copy_that_came_in_the_meantime_keeps_its_log(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_log(site)) as (kit, log, heard):

        def slowly(*of_it: Any) -> AbstractContextManager[Taken]:
            monkeypatch.setattr(module, "taken", taken)
            assert take_base(kit, log).outcome is Outcome.SUCCEEDED
            sql(site, "CREATE TABLE meanwhile AS SELECT 1")
            sql(site, "SELECT pg_switch_wal()")
            held_until_now(heard)
            return taken(*of_it)

        monkeypatch.setattr(module, "taken", slowly)
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        first, second = bases(log, "main")
        told = needs(log, "main", first.system)
        assert [need.start for need in told] == [first.start, second.start]
        planned = planning.plan(log, Goal("lsn", lsn=first.stop), site.base / "back")
        assert planned.base == first
