"""Talks to the demo's database through psql, so that the demo needs no Python driver."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from opsd.drivers import process
from opsd.drivers.cluster import binaries, newest
from opsd.errors import DatabaseFailed

_LOAD_LIMIT = timedelta(hours=1)
_POLL_SECONDS = 0.005
ASK_LIMIT = timedelta(seconds=30)


def ask(
    connection: str, sql: str, *, limit: timedelta = ASK_LIMIT, **variables: object
) -> list[tuple[str, ...]]:
    """The rows that `sql` gives, as text; `:'name'` in it stands for the variable, quoted by psql.

    Raises `DatabaseFailed` when the server does not answer or refuses, `TimedOut` after `limit`.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write(sql)
        script.flush()
        answer = _run(connection, Path(script.name), limit, variables)
    return [tuple(line.split("\t")) for line in answer.text.splitlines()]


@contextmanager
def feeding(connection: str, workplace: Path) -> Iterator[TextIO]:
    """Give a stream of SQL and COPY rows into one transaction; it is lost unless all of it arrives.

    psql reads from a named pipe while the caller writes. Raises `DatabaseFailed` with what it said.
    """
    pipe = workplace / "feed.sql"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(_run, connection, pipe, _LOAD_LIMIT, {})
        try:
            with _writer(pipe, reader) as stream:
                stream.write("BEGIN;\n")
                yield stream
                stream.write("COMMIT;\n")
        except BrokenPipeError:
            pass  # psql gave up; its own words are raised below
        finally:
            pipe.unlink()
        reader.result()


def _writer(pipe: Path, reader: Future[process.Completed]) -> TextIO:
    """Open the pipe as soon as it is read; a reader that ended first raises its own failure."""
    while True:
        try:
            opened = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if reader.done():
                reader.result()
                raise
            time.sleep(_POLL_SECONDS)
        else:
            os.set_blocking(opened, True)
            return os.fdopen(opened, "w", buffering=1 << 20, encoding="utf-8")


def _run(
    connection: str, script: Path, limit: timedelta, variables: dict[str, object]
) -> process.Completed:
    argv = (
        str(binaries(newest()) / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--no-align",
        "--tuples-only",
        "--field-separator=\t",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        *(f"--set={name}={value}" for name, value in variables.items()),
        f"--file={script}",
        f"--dbname={connection}",
    )
    done = process.run(process.Command(argv, limit))
    if done.exit_code != 0:
        raise DatabaseFailed("demo.database_refused", detail=done.complaint)
    return done


def field(value: object) -> str:
    """One value as COPY's text format has it."""
    match value:
        case str():
            return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        case None:
            return "\\N"
        case bytes():
            return f"\\\\x{value.hex()}"
        case _:
            return str(value)
