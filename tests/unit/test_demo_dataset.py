"""The invented office: the same for the same seed, in Vietnamese, and about nobody."""

import hashlib
import itertools
import re
import unicodedata
from datetime import date

import pytest

from opsd.demo import words
from opsd.demo.dataset import FIRST_DAY, Bundle, Office, Scale, date_of
from opsd.demo.psql import field

SCALE = Scale(dossiers=300, receipt_bytes=64)


def digest(scale: Scale) -> str:
    return hashlib.sha256(repr(list(Office(scale).history())).encode()).hexdigest()


def bundles(scale: Scale = SCALE) -> list[Bundle]:
    return list(Office(scale).history())


def people_read() -> str:
    """Everything that is text in the office."""
    office = Office(SCALE)
    parts = itertools.chain(office.agencies(), office.procedures(), bundles())
    return "\n".join(map(str, parts))


def test_the_same_seed_gives_the_same_office() -> None:
    assert digest(SCALE) == digest(SCALE)


def test_another_seed_gives_another_office() -> None:
    assert digest(SCALE) != digest(Scale(dossiers=300, receipt_bytes=64, seed=2))


def test_a_dossier_depends_on_its_number_and_day_alone() -> None:
    office = Office(SCALE)
    assert office.bundle(7, FIRST_DAY, 3) == Office(Scale(dossiers=9_999, receipt_bytes=64)).bundle(
        7, FIRST_DAY, 3
    )


def test_codes_are_unique_and_carry_day_and_number() -> None:
    codes = [bundle.dossier.code for bundle in bundles()]
    assert len(set(codes)) == SCALE.dossiers
    assert all(re.fullmatch(r"H99\.MAU-2026\d{4}-\d{6}", code) for code in codes)
    assert [int(code[-6:]) for code in codes] == list(range(1, SCALE.dossiers + 1))


def test_history_ends_before_the_first_day() -> None:
    received = [bundle.dossier.received_at.date() for bundle in bundles()]
    assert received == sorted(received)
    assert received[-1] < FIRST_DAY == date_of(1) == date(2026, 11, 1)


def test_steps_are_in_order_and_end_at_the_status_of_the_dossier() -> None:
    for dossier, steps, _, _ in bundles():
        assert [step.ordinal for step in steps] == list(range(1, len(steps) + 1))
        assert [step.happened_at for step in steps] == sorted(step.happened_at for step in steps)
        assert steps[-1].status == dossier.status
        assert (dossier.finished_at is not None) == (dossier.status == words.STATUSES[-1])


def test_every_status_occurs() -> None:
    assert {bundle.dossier.status for bundle in bundles()} == set(words.STATUSES)


@pytest.mark.parametrize("mean", [0, 1, 2, 5])
def test_attachments_are_as_many_as_asked_on_average(mean: int) -> None:
    scale = Scale(dossiers=2_000, attachments_per_dossier=mean)
    papers = [paper for bundle in bundles(scale) for paper in bundle.papers]
    assert len(papers) == pytest.approx(mean * scale.dossiers, rel=0.05)
    assert len({paper.path for paper in papers}) == len(papers)


def test_scans_are_as_large_as_asked_on_average() -> None:
    papers = [paper for bundle in bundles(Scale(dossiers=2_000)) for paper in bundle.papers]
    sizes = [paper.target_bytes for paper in papers]
    assert sum(sizes) / len(sizes) == pytest.approx(24 * 1024, rel=0.05)
    assert min(sizes) < 4_000
    assert max(sizes) > 60_000


def test_texts_are_composed_unicode() -> None:
    text = people_read()
    assert unicodedata.is_normalized("NFC", text)
    assert "ệ" in text


def test_nobody_is_meant() -> None:
    """A person's own name is the word for a sample; nothing looks like an identity or a phone."""
    dossiers = [bundle.dossier for bundle in bundles()]
    assert all(re.fullmatch(r"\w+ \w+ Mẫu \d{6}", dossier.applicant) for dossier in dossiers)
    texts = "\n".join(f"{d.code} {d.applicant} {d.address} {d.form}" for d in dossiers)
    assert not re.search(r"(?<!\d)(\d{12}|0\d{9})(?!\d)", texts)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "\\N"),
        ("a\tb\nc\\d", "a\\tb\\nc\\\\d"),
        (b"\x00\xff", "\\\\x00ff"),
        (7, "7"),
        ("Đã trả", "Đã trả"),
    ],
)
def test_copy_reads_back_what_is_written(value: object, written: str) -> None:
    assert field(value) == written
