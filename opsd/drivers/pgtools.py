"""PostgreSQL's own programs: pg_dump, pg_dumpall, pg_restore and psql.

A dump is pg_dump's directory form without compression (docs/adr/0002-dump-form.md): a file a table,
written and loaded in parallel, whose bytes are the table's rows, so that hashing the file gives the
table's digest and restic deduplicates it from day to day.
"""

from __future__ import annotations

import hashlib
import io
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from blake3 import blake3

from opsd.drivers import process
from opsd.errors import DatabaseFailed, ScratchFull, ToolFailed

GLOBALS = "globals.sql"
DUMP = "dump"
TABLES = "[0-9]*.dat"  # files with the rows of tables, below DUMP
_TABLE_DATA = re.compile(rb"^(\d+); 0 (\d+) TABLE DATA ")
# What a dump holds of the database itself, and the statements that bring that to another name.
_OF_DATABASE = re.compile(
    rb"^\d+; \d+ \d+ (DATABASE|DATABASE PROPERTIES|(ACL|COMMENT) - DATABASE) "
)
_NAME = rb'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
_TO_DATABASE = re.compile(
    rb"^(ALTER DATABASE|ALTER ROLE " + _NAME + rb" IN DATABASE|COMMENT ON DATABASE"
    rb"|(?:GRANT|REVOKE) [A-Z, ]+ ON DATABASE) " + _NAME
)
_GRANTED = re.compile(r'^(GRANT .+) GRANTED BY (?:"(?:[^"]|"")+"|[^\s"]+);$')
_HOW_TO_READ = (b"SET client_encoding = ", b"SET standard_conforming_strings = ")
_LARGE_OBJECT = re.compile(r"^blob_(\d+)\.dat$")
# How pg_dump ends each table's file. Were it another one day, the row counts would not agree.
_END_MARK = b"\\.\n\n\n"
_CHUNK = 1 << 20
HASHING = "blake3"  # docs/adr/0028-blake3.md
# Behind somebody's exclusive lock an open snapshot holds vacuum back: better to fail and be told.
_LOCK_WAIT_MILLISECONDS = 10 * 60 * 1000
# Sentences of PostgreSQL about data that end with the value itself.
_VALUE = re.compile(
    r"((?:invalid input (?:syntax|value)|malformed|value|date/time field value)\b[^\"]*)\".*"
)
_FULL = "No space left on device"


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs below `directory`, run with `env`, ended by `stop` or after `timeout`."""

    directory: Path
    env: Mapping[str, str]
    timeout: timedelta
    stop: process.Stop = process.NEVER

    def dump(self, connection: str, snapshot: str, target: Path, jobs: int) -> None:
        """Write the database as of `snapshot` into the new directory `target`.

        Nothing waits for the disk: restic reads the files from memory, and after a power cut the
        run is void whatever the disk has of them.
        """
        self._run(
            "pg_dump",
            "--no-sync",
            *("--format=directory", "--compress=0", f"--jobs={jobs}", "--no-password"),
            f"--lock-wait-timeout={_LOCK_WAIT_MILLISECONDS}",
            *(f"--snapshot={snapshot}", f"--file={target}", f"--dbname={connection}"),
        )

    def dump_globals(self, connection: str, target: Path, *, with_passwords: bool) -> None:
        """Write roles and tablespaces as SQL; the roles' password hashes need a superuser."""
        target.touch(mode=0o600)  # before the hashes are in it; a restore brings the mode back
        self._run(
            "pg_dumpall",
            *(
                "--globals-only",
                "--no-sync",
                "--no-password",
                f"--file={target}",
                f"--dbname={connection}",
            ),
            *(() if with_passwords else ("--no-role-passwords",)),
        )

    def restore_roles(self, dump_of_globals: Path, connection: str) -> None:
        """Make the roles of a dump of globals; those that are there already are left.

        Tablespaces are not made: their directories belong to the machine that was lost.
        """
        text = dump_of_globals.read_text(errors="surrogateescape")
        roles = dump_of_globals.with_name("roles.sql")
        kept = (line for line in text.splitlines() if " TABLESPACE " not in line)
        script = "".join(f"{_by_anybody(line)}\n" for line in kept)
        roles.write_text(script, errors="surrogateescape")
        done = process.run(
            self._command("psql", "-X", "-q", f"--file={roles}", f"--dbname={connection}"),
            stop=self.stop,
        )
        roles.unlink()
        wrong = [line for line in done.complaint.splitlines() if "ERROR:" in line]
        wrong = [line for line in wrong if "already exists" not in line]
        if wrong:
            raise DatabaseFailed("globals.refused", detail="\n".join(wrong[:10]))
        _insist("psql", done)

    def restore(self, dump: Path, connection: str, jobs: int, *, owners: bool) -> None:
        """Load a dump into an empty database. Any error of it is an error.

        With `owners` the objects get their owners and privileges; the roles must be there.
        """
        self._run(
            "pg_restore",
            *("--no-tablespaces", "--no-password", "--exit-on-error"),
            *(() if owners else ("--no-owner", "--no-privileges")),
            *(f"--jobs={jobs}", f"--dbname={connection}", str(dump)),
        )

    def restore_properties(self, dump: Path, database: str, connection: str) -> None:
        """Give `database` the owner, the grants and the settings that the dumped one had.

        They bind whoever connects from then on. The roles must be there.
        """
        listed, script = dump.with_name("database.list"), dump.with_name("database.sql")
        entries = self._run("pg_restore", "--create", "--list", str(dump), whole=True).stdout
        chosen = (line for line in entries.splitlines() if _OF_DATABASE.match(line))
        listed.write_bytes(b"\n".join(chosen))
        told = self._run(
            "pg_restore", "--create", f"--use-list={listed}", "--file=-", str(dump), whole=True
        )
        script.write_bytes(_renamed(told.stdout, database))
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", f"--file={script}", connection)
        listed.unlink()
        script.unlink()

    def table_files(self, dump: Path) -> dict[int, Path]:
        """Which file holds the rows of which table (by the table's oid in the source)."""
        done = self._run("pg_restore", "--list", str(dump), whole=True)
        found = (_TABLE_DATA.match(line) for line in done.stdout.splitlines())
        return {int(m[2]): dump / f"{int(m[1])}.dat" for m in found if m}

    def execute(self, connection: str, statement: str) -> None:
        """Run one statement."""
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, connection)

    def copied_digest(
        self, connection: str, encoding: str, copy: str, hashing: str = HASHING
    ) -> tuple[int, str]:
        """Rows and digest of what a COPY ... TO STDOUT gives in an encoding.

        The statement itself is UTF-8: a table's name need not fit into that encoding.
        """
        statement = f"{copy} WITH (ENCODING '{encoding}')"
        command = self._command("psql", "-X", "-q", "-c", statement, connection)
        command = process.Command(
            command.argv, command.timeout, {**command.env, "PGCLIENTENCODING": "UTF8"}
        )
        rows, hashed, buffer = 0, _hasher(hashing), bytearray(_CHUNK)
        view = memoryview(buffer)
        with process.reading(command, stop=self.stop) as stream:
            while got := stream.readinto1(buffer):  # what is there: psql goes on meanwhile
                rows += buffer.count(b"\n", 0, got)
                hashed.update(view[:got])
        return rows, hashed.hexdigest()

    def _command(self, program: str, *arguments: str) -> process.Command:
        return process.Command((str(self.directory / program), *arguments), self.timeout, self.env)

    def _run(self, program: str, *arguments: str, whole: bool = False) -> process.Completed:
        command = replace(self._command(program, *arguments), whole=whole)
        done = process.run(command, stop=self.stop)
        _insist(program, done)
        return done


def _by_anybody(line: str) -> str:
    """The same line, but that who grants a role is whoever may, where the one named may not.

    From PostgreSQL 16 on that may only be who administers the role, or the first superuser, who
    has another name in another cluster. The file may keep psql from conditions (`restrict`).
    """
    found = _GRANTED.match(line)
    if found is None:
        return line
    return f"DO $opsd$BEGIN {line} EXCEPTION WHEN OTHERS THEN {found[1]}; END$opsd$;"


def _insist(program: str, done: process.Completed) -> None:
    """Raise, where a program failed, what its end says."""
    if done.exit_code != 0 and _FULL in done.complaint:
        raise ScratchFull("scratch.full", detail=impersonal(done.complaint))
    if done.exit_code < 0:
        # Killed from outside, by a person or for want of memory: no word about the database.
        raise ToolFailed(
            "pgtools.killed", program=program, signal=signal.Signals(-done.exit_code).name
        )
    if done.exit_code != 0:
        raise DatabaseFailed(
            "pgtools.failed",
            program=program,
            exit_code=done.exit_code,
            detail=impersonal(done.complaint),
        )


class DumpedTable:
    """Hashes a table's file of a dump, already while pg_dump writes it from beginning to end.

    The end mark is left out: its bytes are no row's.
    """

    def __init__(self, file: Path, hashing: str = HASHING) -> None:
        self._file = file
        self._rows = 0
        self._hashed = _hasher(hashing)
        self._done = 0

    def advance(self) -> int:
        """Take in what has been written but for what may be the end mark; gives the size so far."""
        size = self._file.stat().st_size
        if size - len(_END_MARK) > self._done:
            with self._file.open("rb", buffering=0) as stream:
                self._take(stream, size - len(_END_MARK))
        return size

    def finish(self) -> tuple[int, str]:
        """Rows and digest of the whole file, which nobody writes to any more."""
        with self._file.open("rb", buffering=0) as stream:
            self._take(stream, self._file.stat().st_size - _end_mark(stream))
        return self._rows, self._hashed.hexdigest()

    def _take(self, stream: io.FileIO, end: int) -> None:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        stream.seek(self._done)
        while (left := end - self._done) > 0 and (
            got := stream.readinto(view[: min(_CHUNK, left)])
        ):
            self._rows += buffer.count(b"\n", 0, got)
            self._hashed.update(view[:got])
            self._done += got


def dumped_digest(file: Path, hashing: str) -> tuple[int, str]:
    """Rows and digest of a table's file in a dump, without the end mark."""
    return DumpedTable(file, hashing).finish()


def _hasher(name: str) -> hashlib._Hash | hashlib.blake2b | blake3:
    """Begin a digest, as a manifest names it; what older ones name is made as well.

    BLAKE3: https://github.com/BLAKE3-team/BLAKE3-specs; by hand `b3sum`. BLAKE2b with 256 bits: RFC
    7693; by hand `b2sum -l 256`.
    """
    match name:
        case "blake3":
            return blake3()
        case "blake2b-256":
            return hashlib.blake2b(digest_size=32)
        case _:
            return hashlib.new(name)


def _renamed(script: bytes, database: str) -> bytes:
    """Of a script of pg_restore the statements that change a database, made to name this one."""
    quoted = b'"' + database.encode().replace(b'"', b'""') + b'"'
    kept, going_on = [], False
    for line in script.split(b"\n"):
        renamed, found = _TO_DATABASE.subn(lambda match: match[1] + b" " + quoted, line)
        if line.startswith(_HOW_TO_READ):
            kept.append(line)
        elif found or going_on:
            kept.append(renamed if found else line)
            going_on = not line.endswith(b";")
    return b"\n".join(kept) + b"\n"


def impersonal(complaint: str) -> str:
    """What a program complained about, without the lines that quote rows."""
    quoting = ("DETAIL:", "CONTEXT:", "Command was:", "pg_restore: detail:", "LINE ")
    lines = (line for line in complaint.splitlines() if not line.lstrip().startswith(quoting))
    return "\n".join(_VALUE.sub(r"\1…", line) for line in lines)[-2000:]


def dumped_large_objects(dump: Path) -> dict[int, Path]:
    """The file of each large object in a dump, by its number."""
    found = ((_LARGE_OBJECT.match(file.name), file) for file in dump.iterdir())
    return {int(m[1]): file for m, file in found if m}


def _end_mark(stream: io.FileIO) -> int:
    """How many bytes the end mark takes."""
    size = len(_END_MARK)
    stream.seek(-min(size, stream.seek(0, io.SEEK_END)), io.SEEK_END)
    return size if stream.read(size) == _END_MARK else 0
