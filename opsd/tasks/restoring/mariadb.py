"""A MariaDB database brought back for a person."""

from __future__ import annotations

import shlex
from pathlib import Path

from opsd.contents import MariadbManifest
from opsd.drivers.mariadb import ACCOUNTS, DUMP, Database, Way
from opsd.errors import Refused, UsageError
from opsd.model import Finding, Severity
from opsd.tasks.members import mariadb
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.proving.mariadb import judge_files, judged
from opsd.tasks.restoring.terms import LIMIT, Door, Plan, Request, Restored, Step, fetch

_WORDS = ("socket", "host", "port", "user", "dbname")


def restore(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the dump and verify its files; load it where a database was named, and verify that."""
    name = step.member.member
    source = mariadb.read_manifest(record / f"{name}.{MANIFEST}")
    fetch(door, step, None, done)
    door.watcher.phase("verify", name)
    done.bytes += sum(file.size for file in source.files)
    if wrong := judge_files(source, step.target):
        fields = {"member": name, "count": len(wrong), "names": wrong}
        done.findings.append(Finding(Severity.FAULT, "restore.file_differs", fields))
    elif wanted.request.load_into is not None and done.good:
        _load(door, wanted.request, source, step.target, done)


def _load(
    door: Door, request: Request, source: MariadbManifest, dump: Path, done: Restored
) -> None:
    """Load the dump into the empty database that was named, and compare it."""
    database = _named(door, request)
    facts = database.facts()
    live = (facts.server, facts.database) == (source.server, source.database)
    if live and not request.over_live_source:
        raise Refused("restore.live_database", database=facts.database)
    if not database.is_empty():
        raise Refused("restore.database_used", database=facts.database)
    door.watcher.phase("load")
    if facts.server != source.server:  # where it comes from, its accounts are
        database.load(dump / ACCOUNTS, LIMIT)
    database.load(dump / DUMP, LIMIT)
    door.watcher.phase("compare")
    findings, rows = judged(database, source, LIMIT)
    done.findings += findings
    done.tables += len(source.tables)
    done.rows += rows


def _named(door: Door, request: Request) -> Database:
    """The database of `--load-into`: `socket=… user=… dbname=…`, or `host=… port=…`."""
    given = dict(word.partition("=")[::2] for word in shlex.split(request.load_into or ""))
    odd = sorted(given.keys() - set(_WORDS))
    port = given.get("port", "3306")
    if odd or "dbname" not in given or not port.isdecimal():
        raise UsageError("restore.mariadb_words", found=odd or sorted(given), known=_WORDS)
    socket = Path(given["socket"]) if "socket" in given else None
    user, host = given.get("user", "root"), given.get("host", "localhost")
    way = Way(user, socket, host, int(port), request.passfile)
    return Database(way, given["dbname"], door.stop)
