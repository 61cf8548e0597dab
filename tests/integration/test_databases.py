"""Whatever a database may hold survives dump and proof: one cluster, a database a case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from opsd import assembly
from opsd.config.load import load
from opsd.drivers.cluster import THROWAWAY, Cluster, newest
from opsd.drivers.pgtools import Programs
from opsd.drivers.postgres import Database
from opsd.errors import Refused
from opsd.model import Outcome, Proof, Severity, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit, Nobody
from opsd.tasks.prove import prove
from opsd.tasks.restore import carry_out, plan
from opsd.tasks.restoring.terms import Door, Request
from tests.faults.telling import empty_repository
from tests.site import workplace

SET = "databases"
CONFIG = """\
language: en
demo: true
host: test-host
state: {base}/state
scratch: {base}/scratch
listen: 127.0.0.1:0
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB, lock_wait: 0s}}
backup_sets:
  databases:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      database: {{kind: postgres, connection: "{connection}"}}
"""
REAL = "demo: false\nclock: {require_sync: false}"
SEED = "CREATE TABLE seed AS SELECT n, n::text AS word FROM generate_series(1, 20) AS n;"


@dataclass(frozen=True)
class Case:
    """A row: what a database holds, in which encoding."""

    name: str
    sql: str
    encoding: str = "UTF8"


CASES = [
    Case(
        "nasty names of schemas, tables and columns",
        """
        CREATE SCHEMA "Sổ ""đăng ký"" $1";
        CREATE TABLE "Sổ ""đăng ký"" $1"."a.b; DROP" ("select" int, "Cột 2" text, "q""q" text);
        INSERT INTO "Sổ ""đăng ký"" $1"."a.b; DROP" VALUES (1, 'x', E'tab\\tnewline\\n\\\\.');
        CREATE TABLE "%s {0} \\" ("c%s" int); INSERT INTO "%s {0} \\" VALUES (7);
        """,
    ),
    Case(
        "tables without columns, without rows, of generated columns alone",
        """
        CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;
        INSERT INTO no_columns DEFAULT VALUES; CREATE TABLE no_rows (n int);
        CREATE TABLE dropped (a int, b int, c int); INSERT INTO dropped VALUES (1, 2, 3);
        ALTER TABLE dropped DROP COLUMN b;
        CREATE TABLE generated (a int GENERATED ALWAYS AS (1 + 1) STORED);
        INSERT INTO generated DEFAULT VALUES;
        CREATE TABLE half (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c text DEFAULT 'x');
        INSERT INTO half (a) SELECT generate_series(1, 100);
        """,
    ),
    Case(
        "partitions, inheritance, views and unlogged tables",
        """
        CREATE TABLE parted (day date, n int) PARTITION BY RANGE (day);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
        INSERT INTO parted SELECT date '2026-01-01' + n, n FROM generate_series(0, 60) AS n;
        CREATE TABLE parent (n int); CREATE TABLE child (m int) INHERITS (parent);
        INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
        CREATE VIEW seen AS SELECT * FROM parent;
        CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM parted;
        CREATE UNLOGGED TABLE fleeting AS SELECT 1 AS n;
        """,
    ),
    Case(
        "a large object of several pieces, one that ends with a piece, one with a hole",
        """
        SELECT lo_from_bytea(0, decode(repeat('00ff0a0d5c', 600000), 'hex'));
        SELECT lo_from_bytea(0, decode(repeat('00', 1 << 20), 'hex'));
        SELECT lo_put(lo_from_bytea(0, 'x'), 5 << 20, 'y');
        """,
    ),
    Case(
        "large objects and binary",
        """
        SELECT lo_from_bytea(0, decode(repeat('00ff0a0d5c', 1000), 'hex'));
        SELECT lo_from_bytea(4711, ''); SELECT lo_from_bytea(4712, 'x');
        CREATE TABLE binary_values AS SELECT sha256(n::text::bytea) AS b, 0.1::float8 + n AS f,
            'NaN'::float4 AS nan, now() AS at, interval '1 year 2 days' AS span,
            ARRAY[1, NULL, 3] AS list, '{"a": [1, 2]}'::jsonb AS doc FROM generate_series(1, 50) n;
        """,
    ),
    Case(
        "sequences of every kind",
        """
        CREATE SEQUENCE untouched; CREATE SEQUENCE used; SELECT nextval('used');
        CREATE SEQUENCE set_not_called; SELECT setval('set_not_called', 42, false);
        CREATE SEQUENCE down INCREMENT -1; SELECT nextval('down'); SELECT nextval('down');
        CREATE SEQUENCE far START 9000000000; SELECT nextval('far');
        CREATE SEQUENCE cached CACHE 50; SELECT nextval('cached');
        CREATE TABLE numbered (id serial, other int GENERATED ALWAYS AS IDENTITY);
        INSERT INTO numbered SELECT FROM generate_series(1, 5);
        """,
    ),
    Case(
        "extensions",
        """
        CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION pg_trgm;
        CREATE TABLE extended (h hstore, c citext); INSERT INTO extended VALUES ('a=>1', 'Đ');
        CREATE INDEX ON extended USING gin ((c::text) gin_trgm_ops);
        """,
    ),
    Case(
        "bytes of no encoding",
        """
        CREATE TABLE bytes (t text); INSERT INTO bytes VALUES (E'\\xff\\xfe'), (E'caf\\xe9');
        CREATE TABLE "name é" (n int); INSERT INTO "name é" VALUES (1);
        """,
        "SQL_ASCII",
    ),
    Case(
        "Latin 1",
        """
        CREATE TABLE latin (t text); INSERT INTO latin VALUES ('café'), ('ß');
        CREATE TABLE "é" (n int); INSERT INTO "é" VALUES (1);
        """,
        "LATIN1",
    ),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with workplace() as base:
        made = Cluster(base / "cluster", newest(), {**THROWAWAY, "max_connections": "40"})
        made.create()
        made.directory.chmod(0o711)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def kit_for(connection: str, *, demo: bool = True) -> Iterator[Kit]:
    with workplace() as base:
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        empty_repository(base / "repository")
        path = base / "opsd.yaml"
        text = CONFIG.format(base=base, connection=connection)
        path.write_text(text if demo else text.replace("demo: true", REAL))
        kit = assembly.assemble(load(path))
        try:
            yield kit
        finally:
            kit.store.close()


def database(cluster: Cluster, name: str, case: Case) -> str:
    """A database that holds the case."""
    with psycopg.connect(cluster.connection(), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{case.encoding}'".encode()
        )
    with psycopg.connect(
        cluster.connection(name), autocommit=True, client_encoding="UTF8"
    ) as connection:
        connection.execute((SEED + case.sql).encode())
    return cluster.connection(name)


def is_proved(kit: Kit) -> None:
    backup = back_up(kit, SET)
    assert backup.closing.outcome is Outcome.SUCCEEDED, backup.closing
    result = prove(kit, SET)
    worse = [f for f in result.closing.findings if f.severity > Severity.NOTE]
    assert worse == []
    assert result.level is Proof.PROVED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_survives(case: Case, cluster: Cluster) -> None:
    name = f"case_{CASES.index(case)}"
    with kit_for(database(cluster, name, case)) as kit:
        is_proved(kit)


OWNED = r"""
    CREATE ROLE "the owner"; CREATE ROLE guest; CREATE ROLE "our guest" LOGIN;
    ALTER DATABASE "Của ""ai""; x" OWNER TO "the owner";
    ALTER DATABASE "Của ""ai""; x" SET search_path TO '$user', 'of ON DATABASE x', public;
    ALTER DATABASE "Của ""ai""; x" SET default_transaction_read_only TO on;
    ALTER DATABASE "Của ""ai""; x" SET app.note TO E'two\nlines, ON DATABASE nobody;';
    ALTER DATABASE "Của ""ai""; x" CONNECTION LIMIT 17;
    ALTER ROLE "our guest" IN DATABASE "Của ""ai""; x" SET work_mem TO '7MB';
    REVOKE ALL ON DATABASE "Của ""ai""; x" FROM public;
    GRANT CONNECT, TEMPORARY ON DATABASE "Của ""ai""; x" TO guest WITH GRANT OPTION;
    GRANT CONNECT ON DATABASE "Của ""ai""; x" TO "our guest";
    COMMENT ON DATABASE "Của ""ai""; x" IS 'hồ sơ';
"""


def test_what_belongs_to_the_database_itself_comes_back(cluster: Cluster) -> None:
    with psycopg.connect(cluster.connection(), autocommit=True) as connection:
        connection.execute(b'CREATE DATABASE "%s" TEMPLATE template0' % 'Của ""ai""; x'.encode())
        connection.execute(OWNED.encode())
    there = cluster.connection('Của "ai"; x')
    seed = there + " options='-c default_transaction_read_only=off'"
    with psycopg.connect(seed, autocommit=True) as connection:
        connection.execute(SEED)
    with kit_for(there.replace('"', '\\"')) as kit:
        is_proved(kit)
        dump = kit.config.state / "back"
        door = Door(kit.restic("main"), kit.config.host)
        with psycopg.connect(cluster.connection(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE back TEMPLATE template0")
        back = cluster.connection("back")
        done = carry_out(door, plan(door, Request(SET, dump, load_into=back)))
        assert [f.key for f in done.findings] == []
        with Database(there).connect() as one, Database(back).connect() as other:
            properties = one.properties()
            assert other.properties() == properties
    assert properties["owner"] == "the owner"
    assert properties["grants of guest"] == "CONNECT* TEMPORARY*"
    assert properties["setting app.note"] == "two\nlines, ON DATABASE nobody;"
    assert properties["setting our guest work_mem"] == "7MB"
    assert "grants of public" not in properties
    assert len(properties) == 10


def test_a_property_that_did_not_come_back_is_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kit_for(database(cluster, "tuned", Case("", ""))) as kit:
        with psycopg.connect(cluster.connection(), autocommit=True) as connection:
            connection.execute("ALTER DATABASE tuned SET app.secret TO 'told to nobody'")
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED
        monkeypatch.setattr(Programs, "restore_properties", lambda *_: None)
        found = {f.key: f.fields for f in prove(kit, SET).closing.findings}
    wrong = found["proof.properties_differ"]["names"]
    assert wrong == ["grants of opsd", "owner", "setting app.secret"]


def test_a_role_without_superuser_takes_all_but_the_passwords(cluster: Cluster) -> None:
    connection = database(cluster, "plain_role", Case("", "CREATE TABLE t AS SELECT 1 AS n;"))
    with psycopg.connect(connection, autocommit=True) as administrator:
        administrator.execute("CREATE ROLE keeper LOGIN IN ROLE pg_read_all_data")
    with kit_for(connection.replace(f"user={cluster.superuser}", "user=keeper")) as kit:
        is_proved(kit)
        run = kit.store.points(SET)[0].id
        found = {r.id: c for r, c in kit.store.runs(Task.BACKUP, SET)}[run]
        assert found is not None
        assert "dump.no_role_passwords" in {f.key for f in found.findings}
    with psycopg.connect(connection, autocommit=True) as administrator:
        administrator.execute("DROP ROLE keeper")


def test_a_database_beside_its_repository_is_refused(cluster: Cluster) -> None:
    """Unless it is a demonstration, or this role may not know where the data lies."""
    connection = database(cluster, "beside", Case("", ""))
    with psycopg.connect(connection, autocommit=True) as administrator:
        administrator.execute("CREATE ROLE blind LOGIN IN ROLE pg_read_all_data")
        administrator.execute("CREATE ROLE seeing LOGIN IN ROLE pg_read_all_data")
        administrator.execute("GRANT pg_read_all_settings TO seeing")
    us = f"user={cluster.superuser}"
    for user in (us, "user=seeing"):
        with kit_for(connection.replace(us, user), demo=False) as kit:
            with pytest.raises(Refused) as caught:
                back_up(kit, SET)
            assert caught.value.key == "config.same_device"
            assert caught.value.fields["member"] == "database"
            assert not kit.store.points(SET)
    with kit_for(connection.replace(us, "user=blind"), demo=False) as kit:
        assert back_up(kit, SET).closing.outcome is Outcome.SUCCEEDED


def test_a_sequence_that_goes_on_while_it_is_dumped(cluster: Cluster) -> None:
    connection = database(cluster, "busy", Case("", "CREATE SEQUENCE busy;"))
    with psycopg.connect(connection, autocommit=True) as office, kit_for(connection) as kit:
        watcher = Drawing(office)
        is_proved(Kit(kit.config, kit.store, kit.clock, kit.stop, watcher))
        assert watcher.drawn > 5


class Drawing(Nobody):
    """An office that draws numbers whenever something happens."""

    def __init__(self, office: psycopg.Connection[tuple[object, ...]]) -> None:
        self._office = office
        self.drawn = 0

    def phase(self, name: str, subject: str = "") -> None:
        self._draw()

    def advance(self, done: int, total: int) -> None:
        self._draw()

    def _draw(self) -> None:
        self._office.execute("SELECT nextval('busy')")
        self.drawn += 1
