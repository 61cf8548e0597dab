"""Just before a table was dropped: found in the log, by replaying and asking.

A commit that removes files names them, whether it dropped the table or wrote it anew. So the log is
replayed to such commits in a throwaway cluster, and its catalogue asked whether the table is there.
"""

from __future__ import annotations

from pathlib import Path

from opsd.drivers import system
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.replication import visiting
from opsd.errors import UsageError
from opsd.tasks.kit import Kit, new_run_id
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import every_base
from opsd.tasks.wal.layout import WAL
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal, Planned, Ways

_MOST = 100  # commits that are looked into, one after the other
_WAYS = Ways(promote=False, throwaway=True)


def find(kit: Kit, log: Log, table: str, near: Path) -> int:
    """Where the record of the commit begins that dropped a table. Raises `UsageError`.

    The newest base copy behind which it was dropped decides. `near` is where there is room: what is
    needed for this lies beside it, and is removed.
    """
    found, _ = every_base(log)
    home = near.with_name(f".{new_run_id(kit.clock())[-6:]}")  # short: a server's socket lies there
    for base in sorted(found, key=lambda base: base.until, reverse=True):
        try:
            begun = planning.plan(log, Goal("lsn", lsn=base.stop), home, _WAYS)
            whole = planning.plan(log, Goal("now"), home, _WAYS)
            commit = _search(kit, begun, whole, table)
        finally:
            system.wipe(home)
        if commit is not None:
            return commit
    oldest = min((base.until for base in found), default="-")
    raise UsageError("recover.not_dropped", table=table, at=oldest)


def _search(kit: Kit, begun: Planned, whole: Planned, table: str) -> int | None:
    """The commit that dropped the table, behind one base copy; None where there is none."""
    with recovering.recovered(kit, begun, _WAYS) as (_, server):
        file = _file(Database(server.connection(begun.log.database_name)), table)
    wal, looked = begun.target / WAL, 0
    whole.stock.fetch(whole.chain.segments, wal)
    programs = begun.log.programs(begun.base.version // 10000)
    for commit in programs.commits(wal):
        if commit.lsn < begun.base.stop or not commit.dropped or looked > _MOST:
            continue
        if file is None:  # not there yet, when last looked at
            looked += 1
            file = _file_at(kit, begun, table, Goal("before", lsn=commit.lsn))
        if file not in commit.dropped:
            continue
        file = _file_at(kit, begun, table, Goal("lsn", lsn=commit.lsn))
        if file is None:
            return commit.lsn
    return None


def _file_at(kit: Kit, begun: Planned, table: str, goal: Goal) -> str | None:
    """The file that the table has at a later moment; None when it is not there."""
    with recovering.further(kit, begun, goal, _WAYS) as (_, server):
        return _file(Database(server.connection(begun.log.database_name)), table)


def _file(database: Database, table: str) -> str | None:
    with visiting(database) as server:
        return server.file_of(table)
