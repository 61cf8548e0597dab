"""Base copies of a site: taken, brought back, and the packs that they consist of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg

from opsd.model import Outcome
from opsd.tasks.kit import Kit
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Ways
from tests.site import Site

ALONE = Ways(here=False, throwaway=True)
BULK = (
    "CREATE TABLE bulk AS SELECT n, repeat(md5(n::text), 9) AS t FROM generate_series(1, 40000) n"
)


def packs(site: Site, repository: str = "repository") -> Mapping[str, Path]:
    """The packs that lie in a repository, by copy and number."""
    found = (site.base / repository / "opsd-objects" / "packs").rglob("0*")
    return {f"{path.parent.name}/{path.name}": path for path in found}


def taken(kit: Kit, log: Log) -> int:
    """Take one, and tell how many bytes it added."""
    closing = take_base(kit, log)
    assert closing.outcome is Outcome.SUCCEEDED, closing.findings
    assert not closing.findings
    told = kit.store.evidence(closing.run, "base")
    assert told
    return int(told["added_bytes"])


def rows(log: Log, target: Path, ways: Ways = ALONE) -> int:
    """How many rows come back."""
    planned = planning.plan(log, Goal("now"), target, ways)
    with (
        recovering.recovered(log.kit, planned, ways) as (done, server),
        psycopg.connect(server.connection(log.database_name)) as connection,
    ):
        assert done.good, done.findings
        return int(connection.execute("SELECT count(*) FROM bulk").fetchall()[0][0])
