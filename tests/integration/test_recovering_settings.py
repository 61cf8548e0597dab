"""Settings that were made for the lost machine keep nobody from recovering on another one."""

from __future__ import annotations

import psycopg

from opsd.demo.psql import ask
from opsd.model import Outcome
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.planning import Goal
from tests.logs import guarded, held_until_now, sql, with_log
from tests.site import Site

# Too much for this machine, not on this machine, or a reason to wait.
SETTINGS = {
    "shared_buffers": "1000GB",
    "huge_pages": "on",
    "ssl": "on",
    "ssl_cert_file": "/nowhere/server.crt",
    "session_preload_libraries": "nowhere",
    "shared_preload_libraries": "nowhere",
    "recovery_min_apply_delay": "1h",
    "statement_timeout": "1ms",
}


def test_what_the_lost_machine_had_is_not_needed_to_replay(site: Site) -> None:
    with guarded(with_log(site)) as (kit, log, heard):
        sql(site, "CREATE TABLE moments AS SELECT 1 AS number")
        with psycopg.connect(site.system.connection, autocommit=True) as office:
            for name, value in SETTINGS.items():  # nobody has the server read them
                office.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        assert take_base(kit, log).outcome is Outcome.SUCCEEDED
        sql(site, "INSERT INTO moments VALUES (2)")
        held_until_now(heard)
        target = site.base / "back"
        planned = planning.plan(log, Goal("now"), target)
        with recovering.recovered(kit, planned) as (done, server):
            assert done.good
            assert ask(server.connection("dossiers"), "SELECT sum(number) FROM moments") == [("3",)]
        # Whoever takes it over has them again, but for what would hang or harm.
        kept = (target / DATA / "postgresql.auto.conf").read_text()
        assert "shared_buffers = '1000GB'" in kept
        assert "recovery_min_apply_delay = '0'" in kept
        assert "1h" not in kept
        assert not list((target / DATA).glob("*.kept"))
