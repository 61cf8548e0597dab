"""Roles of a dump of globals, made in a cluster whose first superuser has another name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from opsd.drivers.cluster import THROWAWAY, Cluster, binaries, newest
from opsd.drivers.pgtools import GLOBALS, Programs
from opsd.errors import DatabaseFailed
from tests.site import workplace

MEMBERS = """
    SELECT role.rolname, member.rolname, who.rolname
      FROM pg_auth_members JOIN pg_roles role ON role.oid = roleid
      JOIN pg_roles member ON member.oid = member JOIN pg_roles who ON who.oid = grantor
     WHERE role.rolname LIKE 'dossier%' ORDER BY 1, 2
"""


@pytest.fixture
def servers() -> Iterator[tuple[Cluster, Cluster]]:
    """One whose roles are dumped, and one that gets them."""
    with workplace() as base:
        one = Cluster(base / "one", newest(), THROWAWAY, superuser="first")
        other = Cluster(base / "other", newest(), THROWAWAY, superuser="opsd")
        for server in (one, other):
            server.create()
            server.start()
        try:
            yield one, other
        finally:
            for server in (one, other):
                server.stop()


def programs() -> Programs:
    return Programs(binaries(newest()), {}, timedelta(minutes=1))


def test_a_role_is_granted_whoever_granted_it(
    servers: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    one, other = servers
    with psycopg.connect(one.connection(), autocommit=True) as source:
        for role in ("dossier", 'dossier "reader"', "dossier clerk", "head"):
            source.execute(f"""CREATE ROLE "{role.replace('"', '""')}" """)
        source.execute('GRANT dossier TO "dossier ""reader"""')
        source.execute("GRANT dossier TO head WITH ADMIN OPTION")
        source.execute("SET ROLE head")
        source.execute('GRANT dossier TO "dossier clerk"')
    path = tmp_path / GLOBALS
    programs().dump_globals(one.connection(), path, with_passwords=True)
    assert "GRANTED BY first" in path.read_text()
    programs().restore_roles(path, other.connection())
    with psycopg.connect(other.connection()) as target:
        members = target.execute(MEMBERS).fetchall()
    assert [row[:2] for row in members] == [
        ("dossier", 'dossier "reader"'),
        ("dossier", "dossier clerk"),
        ("dossier", "head"),
    ]
    assert members[1][2] == "head"


def test_a_grant_that_nobody_may_make_is_told(
    servers: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    _, other = servers
    path = tmp_path / GLOBALS
    path.write_text(
        "CREATE ROLE dossier;\nCREATE ROLE clerk;\n"
        "GRANT dossier TO clerk GRANTED BY gone;\nGRANT dossier TO nobody GRANTED BY opsd;\n"
    )
    with pytest.raises(DatabaseFailed) as caught:
        programs().restore_roles(path, other.connection())
    assert caught.value.key == "globals.refused"
    assert caught.value.detail.count("ERROR") == 1
    assert 'role "nobody" does not exist' in caught.value.detail
    with psycopg.connect(other.connection()) as target:
        assert [row[1] for row in target.execute(MEMBERS)] == ["clerk"]
