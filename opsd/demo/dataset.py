"""What the invented office holds: pure, streamed, and the same for the same seed.

Each dossier is drawn from its own number alone, so that any part of the office can be made again
without making the rest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple

from opsd.demo import words

ZONE = timezone(timedelta(hours=7))
# The initial load ends the evening before the first day that may pass.
FIRST_DAY = date(2026, 11, 1)
_OPENS, _OPEN_SECONDS = time(7, 30, tzinfo=ZONE), 9 * 3600
_SIGNATURE_BYTES = 256
_PNG_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the system is, and which of all possible ones it is (`seed`).

    `attachments_per_dossier` and `mean_scan_bytes` are means; one scan is a tenth to nearly three
    times the mean. `receipt_bytes` is what each dossier keeps as an incompressible value inside
    the database. The initial dossiers are spread over `history_days`.
    """

    dossiers: int = 1_000
    seed: int = 1
    attachments_per_dossier: int = 2
    mean_scan_bytes: int = 24 * 1024
    receipt_bytes: int = 256
    history_days: int = 60


class Agency(NamedTuple):
    """An office that receives dossiers."""

    id: int
    code: str
    name: str


class Procedure(NamedTuple):
    """An administrative procedure and its term in days."""

    id: int
    code: str
    name: str
    agency_id: int
    term_days: int


class Dossier(NamedTuple):
    """One request of one invented person; its number is also its id."""

    id: int
    code: str
    procedure_id: int
    applicant: str
    address: str
    status: str
    form: str
    received_at: datetime
    due_at: datetime
    finished_at: datetime | None
    updated_at: datetime


class Step(NamedTuple):
    """One step that a dossier has gone."""

    dossier_id: int
    ordinal: int
    status: str
    officer: str
    note: str
    happened_at: datetime


class Paper(NamedTuple):
    """A scan that belongs to a dossier: where it goes below the root, and about how large."""

    dossier_id: int
    path: str
    media_type: str
    uploaded_at: datetime
    target_bytes: int
    title: str


class Receipt(NamedTuple):
    """The signed receipt of a dossier, kept in the database."""

    dossier_id: int
    signer: str
    signature: bytes
    envelope: bytes
    signed_at: datetime


class Bundle(NamedTuple):
    """A dossier with all that belongs to it."""

    dossier: Dossier
    steps: tuple[Step, ...]
    papers: tuple[Paper, ...]
    receipt: Receipt


def chance(*parts: object) -> random.Random:
    """A source of chance that depends on `parts` alone, on every machine."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311  (invented data, no secret)


def code_of(number: int, received: date) -> str:
    """The code that the public sees, such as `H99.MAU-20261101-000123`."""
    return f"H99.MAU-{received:%Y%m%d}-{number:06d}"


def folder_of(code: str, received: date) -> str:
    """Where the scans of a dossier lie below the root."""
    return f"{received:%Y/%m/%d}/{code}"


class Office:
    """The invented office of one scale."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale

    def agencies(self) -> Iterator[Agency]:
        """All agencies."""
        for number, (code, name) in enumerate(words.AGENCIES, 1):
            yield Agency(number, code, name)

    def procedures(self) -> Iterator[Procedure]:
        """All procedures."""
        for number, name in enumerate(words.PROCEDURES, 1):
            agency = 1 + number % len(words.AGENCIES)
            yield Procedure(number, f"9.{number:03d}.MAU", name, agency, 3 + number * 7 % 28)

    def history(self) -> Iterator[Bundle]:
        """The dossiers of the initial load, oldest first."""
        scale = self.scale
        for number in range(1, scale.dossiers + 1):
            age = scale.history_days - (number - 1) * scale.history_days // scale.dossiers
            yield self.bundle(number, FIRST_DAY - timedelta(days=age), age)

    def arrivals(self, day: int, first: int, count: int) -> Iterator[Bundle]:
        """The `count` dossiers that arrive on `day` (1 is `FIRST_DAY`), numbered from `first`."""
        for number in range(first, first + count):
            yield self.bundle(number, date_of(day), 0)

    def bundle(self, number: int, received: date, age: int) -> Bundle:
        """Dossier `number`, received on `received`, `age` days before the present of the office."""
        draw = chance(self.scale.seed, "dossier", number)
        code = code_of(number, received)
        steps = tuple(_steps(draw, number, received, age))
        dossier = _dossier(draw, code, steps)
        papers = tuple(self._papers(draw, dossier, folder_of(code, received)))
        return Bundle(dossier, steps, papers, self._receipt(draw, dossier))

    def paper(self, dossier_id: int, path: str, title: str, at: datetime) -> Paper:
        """A scan that arrives later; its kind and size depend on its path alone."""
        draw = chance(self.scale.seed, "paper", path)
        kind = "image/png" if path.endswith(".png") else "application/pdf"
        return Paper(dossier_id, path, kind, at, self._scan_bytes(draw), title)

    def _papers(self, draw: random.Random, dossier: Dossier, folder: str) -> Iterator[Paper]:
        mean = self.scale.attachments_per_dossier
        count = draw.randint(1, 2 * mean - 1) if mean else 0
        for ordinal in range(1, count + 1):
            png = draw.random() < _PNG_SHARE
            yield Paper(
                dossier.id,
                f"{folder}/{ordinal}.{'png' if png else 'pdf'}",
                "image/png" if png else "application/pdf",
                dossier.received_at + timedelta(seconds=20 * ordinal),
                self._scan_bytes(draw),
                f"Giấy tờ mẫu số {ordinal} của hồ sơ {dossier.code}",
            )

    def _scan_bytes(self, draw: random.Random) -> int:
        return int(self.scale.mean_scan_bytes * (0.1 + 2.7 * draw.random() ** 2))

    def _receipt(self, draw: random.Random, dossier: Dossier) -> Receipt:
        return Receipt(
            dossier.id,
            draw.choice(words.OFFICERS),
            draw.randbytes(_SIGNATURE_BYTES),
            draw.randbytes(self.scale.receipt_bytes),
            dossier.received_at + timedelta(minutes=2),
        )


def date_of(day: int) -> date:
    """The date of day `day`; day 1 is the first after the initial load."""
    return FIRST_DAY + timedelta(days=day - 1)


def moment_in(day: date, draw: random.Random) -> datetime:
    """A moment of `day` while the office is open."""
    return datetime.combine(day, _OPENS) + timedelta(seconds=draw.randrange(_OPEN_SECONDS))


def _steps(draw: random.Random, number: int, received: date, age: int) -> Iterator[Step]:
    """The way of a dossier so far: the older, the further."""
    furthest = min(len(words.STATUSES), 1 + age // 4)
    count = draw.randint((furthest + 1) // 2, furthest)
    at = moment_in(received, draw)
    for index, status in enumerate(words.STATUSES[:count]):
        officer = draw.choice(words.OFFICERS)
        yield Step(number, index + 1, status, officer, words.NOTES[index], at)
        at += timedelta(days=1, seconds=draw.randrange(3600))


def _dossier(draw: random.Random, code: str, steps: tuple[Step, ...]) -> Dossier:
    number, received = steps[0].dossier_id, steps[0].happened_at
    family, middle = draw.choice(words.FAMILIES), draw.choice(words.MIDDLES)
    last = steps[-1]
    form = {
        "lý do": draw.choice(words.PURPOSES),
        "số bản": draw.randint(1, 5),
        "nhận kết quả": {"qua bưu chính": draw.random() < 0.5, "lệ phí": draw.randrange(20) * 5000},
    }
    return Dossier(
        id=number,
        code=code,
        procedure_id=draw.randint(1, len(words.PROCEDURES)),
        applicant=f"{family} {middle} Mẫu {number:06d}",
        address=f"{draw.choice(words.PLACES)} {draw.randint(1, 40)}, tỉnh Mẫu",
        status=last.status,
        form=json.dumps(form, ensure_ascii=False),
        received_at=received,
        due_at=received + timedelta(days=draw.randint(3, 30)),
        finished_at=last.happened_at if last.status == words.STATUSES[-1] else None,
        updated_at=last.happened_at,
    )
