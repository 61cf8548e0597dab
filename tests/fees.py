"""A small living MariaDB server with a database of fees, made up; and a site that protects it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsd import assembly
from opsd.clock import Clock, now
from opsd.config.load import load
from opsd.drivers.mariadb import Database
from opsd.drivers.mariadb.server import THROWAWAY, Server
from opsd.tasks.kit import Kit
from tests.faults.telling import empty_repository
from tests.site import CONFIG, workplace

LIVING = {
    **THROWAWAY,
    "event_scheduler": "ON",
    "innodb_buffer_pool_size": "64M",
    "innodb_log_file_size": "8M",
    "log_bin": "fees-log",
    "server_id": "1",
    "binlog_format": "ROW",
    "sync_binlog": "1",
    "innodb_flush_log_at_trx_commit": "1",
}
NAME = "phí"
ROWS = r"""
CREATE TABLE office (id INT PRIMARY KEY, name VARCHAR(80) NOT NULL) ENGINE = InnoDB;
INSERT INTO office VALUES (1, 'Một cửa phường Ví Dụ'), (2, 'Một cửa xã Thử Nghiệm');
CREATE TABLE `khoản ``thu``` (
    id INT AUTO_INCREMENT PRIMARY KEY, office INT NOT NULL REFERENCES office (id),
    amount DECIMAL(14, 2) NOT NULL, twice DECIMAL(15, 2) AS (amount * 2) STORED,
    paid_at TIMESTAMP(6) NULL, note TEXT
);
INSERT INTO `khoản ``thu``` (office, amount, paid_at, note) SELECT 1 + seq % 2,
    seq * 12500.5, IF(seq % 7, '2026-01-05 08:00:00' + INTERVAL seq HOUR, NULL),
    CASE seq % 5 WHEN 0 THEN 'hai\ndòng\t\\' WHEN 1 THEN 'o''clock, "nháy"; (' END
    FROM seq_1_to_2000;
CREATE TABLE kinds (
    id INT PRIMARY KEY, f FLOAT, d DOUBLE, b BIT(9), bin VARBINARY(20), blob_ LONGBLOB, j JSON,
    e ENUM('a', 'b'), s SET('x', 'y'), y YEAR, t TIME(3), u UUID, i INET6, g GEOMETRY, l CHAR(9)
    CHARACTER SET latin1
);
INSERT INTO kinds VALUES
    (1, 0.1, 1e0 / 3, b'101010101', x'00ff0a275c', REPEAT(x'00ff', 100), '{"a": [1]}', 'b', 'x,y',
    2026, '12:00:00.5', UUID(), '::1', ST_GeomFromText('POINT(1 2)'), 'café'),
    (2, NULL, NULL, NULL, '', '', NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE empty_one (n INT);
CREATE SEQUENCE drawn; SELECT NEXT VALUE FOR drawn;
CREATE VIEW paid AS SELECT * FROM `khoản ``thu``` WHERE paid_at IS NOT NULL;
CREATE PROCEDURE nothing() SELECT 1;
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
CREATE TRIGGER checked BEFORE INSERT ON office FOR EACH ROW SET NEW.name = TRIM(NEW.name);
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM empty_one;
CREATE TABLE attachment (path VARCHAR(200), size BIGINT, sha256 CHAR(64));
INSERT INTO attachment VALUES
    ('một.txt', 6, 'f9ae3b14b48e608d0a37375dea415e8b357d724a0b1f116ee978437ac85f298c');
"""
ACCOUNT = """
CREATE USER opsd_backup@localhost IDENTIFIED BY 'only for tests';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR,
    REPLICATION SLAVE ON *.* TO opsd_backup@localhost;
"""
INVARIANT = {
    "name": "every fee has an office",
    "member": "fees",
    "query": "SELECT id FROM `khoản ``thu``` WHERE office NOT IN (SELECT id FROM office)",
}


@dataclass(slots=True)
class Fees:
    """The living server, a repository and a configuration; `changes` are options of its member."""

    base: Path
    server: Server
    changes: dict[str, Any] = field(default_factory=dict)
    timeout: str = "12h"

    @property
    def database(self) -> Database:
        """The living database, as its administrator."""
        return self.server.database(NAME)

    @property
    def config_file(self) -> Path:
        """The configuration, with the wanted changes."""
        member = {
            "kind": "mariadb",
            "database": NAME,
            "socket": str(self.server.directory / "socket"),
            "passfile": str(self.base / "fees.cnf"),
            **self.changes,
        }
        scans = {"kind": "files", "path": str(self.base / "scans")}
        naming = {"database": "fees", "files": "scans", "query": "SELECT * FROM attachment"}
        prove = {"invariants": [INVARIANT], "reconcile": [naming]}
        text = f"{CONFIG.format(base=self.base)}    timeout: {self.timeout}\n"
        text += f"    members: {json.dumps({'fees': member, 'scans': scans})}\n"
        path = self.base / "opsd.yaml"
        path.write_text(f"{text}    prove: {json.dumps(prove)}\n", encoding="utf-8")
        return path

    @contextmanager
    def kit(self, clock: Clock = now) -> Iterator[Kit]:
        """A kit for tasks in this process."""
        made = assembly.assemble(load(self.config_file), clock=clock)
        try:
            yield made
        finally:
            made.store.close()

    def execute(self, sql: str) -> None:
        """Change the living database."""
        list(self.database.ask(sql))


@contextmanager
def fees() -> Iterator[Fees]:
    """One of one's own."""
    with workplace() as base:
        (base / "scans").mkdir()
        (base / "scans" / "một.txt").write_text("một\n")
        for name, text in (
            ("password", "only for tests\n"),
            ("fees.cnf", "[client]\npassword='only for tests'\n"),
        ):
            (base / name).write_text(text)
            (base / name).chmod(0o600)
        empty_repository(base / "repository")
        server = Server(base / "server", LIVING)
        server.create()
        server.start()
        try:
            list(server.database().ask(ACCOUNT))
            server.make(NAME, "utf8mb4")
            made = Fees(base, server)
            made.execute(ROWS)
            yield made
        finally:
            server.stop()
