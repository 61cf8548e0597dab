"""A day of the office: dossiers arrive, others move on, a few scans are replaced by better ones.

A replaced scan stays where it is and its row is marked, as the law of records has it: files of
the shelf are never changed or removed, so a backup during the day finds every file it was told of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import TextIO

from opsd.demo import load, schema, words
from opsd.demo.dataset import FIRST_DAY, ZONE, Office, Paper, chance, date_of, moment_in
from opsd.demo.psql import ask, feeding
from opsd.demo.scans import Shelf

_RECENT = 10  # changes fall on this many times as many of the newest dossiers
_REPLACED_SHARE = 0.25  # of the changed dossiers

_STAND = "SELECT coalesce(max(id), 0) FROM dossier"
_NEWEST = "SELECT (max(received_at) AT TIME ZONE interval '7 hours')::date FROM dossier"
_SCANS = """
SELECT a.id, a.dossier_id, a.path, d.code,
    (SELECT count(*) FROM attachment b WHERE b.dossier_id = a.dossier_id)
FROM attachment a JOIN dossier d ON d.id = a.dossier_id
WHERE a.replaced_by IS NULL
    AND a.dossier_id = ANY (string_to_array(:'wanted', ',')::bigint[])
ORDER BY a.dossier_id, a.path COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on a day, in dossiers and scans."""

    number: int
    arrived: int
    changed: int
    replaced: int


@dataclass(frozen=True, slots=True)
class _Better:
    """A scan that replaces the attachment `attachment_id`."""

    attachment_id: int
    paper: Paper


def play(connection: str, office: Office, shelf: Shelf, number: int, share: float) -> Day:
    """Let day `number` pass for `share` of the dossiers: half arrive, half change."""
    as_application = f"{connection} user={schema.APPLICATION}"
    last = int(ask(as_application, _STAND)[0][0])
    touched = max(2, round(last * share))
    draw = chance(office.scale.seed, "day", number)
    changed = _recent(draw, last, touched // 2)
    better = tuple(_better(as_application, office, draw, number, changed))
    bundles = tuple(office.arrivals(number, last + 1, touched - touched // 2))
    with feeding(as_application, shelf.workplace) as stream:
        stream.write(load.clock(_evening(number)))
        load.dossiers(stream, shelf, bundles)
        load.attachments(stream, (shelf.put(one.paper) for one in better))
        _touch(stream, draw, number, changed)
        _replace(stream, better)
        stream.write(schema.TOUCH)
    return Day(number, len(bundles), len(changed), len(better))


def next_day(connection: str) -> int:
    """The number of the day after the one on which the newest dossier came in."""
    newest = ask(f"{connection} user={schema.APPLICATION}", _NEWEST)[0][0]
    return max(1, (date.fromisoformat(newest) - FIRST_DAY).days + 2)


def _recent(draw: random.Random, last: int, count: int) -> list[int]:
    """Which of the newest dossiers change."""
    newest = range(max(1, last - _RECENT * count), last + 1)
    return sorted(draw.sample(newest, min(count, len(newest))))


def _better(
    connection: str, office: Office, draw: random.Random, day: int, changed: Sequence[int]
) -> Iterator[_Better]:
    """New versions of the first scans of some of the changed dossiers."""
    wanted = draw.sample(changed, max(1, round(len(changed) * _REPLACED_SHARE))) if changed else []
    rows = ask(connection, _SCANS, wanted=",".join(map(str, wanted)))
    for attachment, dossier, path, code, present in {row[1]: row for row in rows}.values():
        old = PurePosixPath(path)
        new = str(old.with_name(f"{int(present) + 1}{old.suffix}"))
        title = f"Bản quét lại của hồ sơ {code}"
        paper = office.paper(int(dossier), new, title, moment_in(date_of(day), draw))
        yield _Better(int(attachment), paper)


def _touch(stream: TextIO, draw: random.Random, day: int, changed: Sequence[int]) -> None:
    stream.write(
        "CREATE TEMP TABLE touched (dossier_id bigint, happened_at timestamptz, officer text)"
        " ON COMMIT DROP;\n"
    )
    rows = ((n, moment_in(date_of(day), draw), draw.choice(words.OFFICERS)) for n in changed)
    load.copy(stream, "touched", ("dossier_id", "happened_at", "officer"), rows)


def _replace(stream: TextIO, better: Sequence[_Better]) -> None:
    stream.write("CREATE TEMP TABLE replaced (attachment_id bigint, path text) ON COMMIT DROP;\n")
    rows = ((one.attachment_id, one.paper.path) for one in better)
    load.copy(stream, "replaced", ("attachment_id", "path"), rows)


def _evening(day: int) -> datetime:
    return datetime.combine(date_of(day), time(17, tzinfo=ZONE))
