"""The tripwire's judgement: what is odd, and how often an ordinary year is called so."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from opsd.policy import anomaly
from opsd.policy.anomaly import Kind, Shape

MIB = 1 << 20
USUAL = Shape(10_000, 5000 * MIB, new=40, changed=3, added=20 * MIB, packed=6 * MIB, rows=70_000)


def night(chance: random.Random, before: Shape) -> Shape:
    """An office at work: some hundred files more, a few that change, text that compresses."""
    new = int(chance.lognormvariate(4, 0.6))
    added = int(new * chance.uniform(0.3, 0.7) * MIB)
    return Shape(
        files=before.files + new - chance.randrange(5),
        bytes=before.bytes + added,
        new=new,
        changed=chance.randrange(10),
        added=added,
        packed=int(added * chance.uniform(0.25, 0.4)),
        rows=before.rows + 7 * new,
    )


def year(seed: int, nights: int = 40) -> list[Shape]:
    chance, found = random.Random(seed), [USUAL]
    while len(found) < nights:
        found.append(night(chance, found[-1]))
    return found


def kinds(past: list[Shape], now: Shape) -> set[Kind]:
    return {one.kind for one in anomaly.judge(past, now)}


def test_ordinary_nights_wake_nobody() -> None:
    for seed in range(10):
        nights = year(seed, 200)
        for end in range(anomaly.ENOUGH, 200):
            assert not anomaly.judge(nights[max(0, end - 60) : end], nights[end])


ODD: dict[str, tuple[Callable[[Shape], Shape], set[Kind]]] = {
    "all files are others now": (lambda s: replace(s, changed=s.files * 9 // 10), {Kind.CHANGED}),
    "all files have new names": (lambda s: replace(s, new=s.files), {Kind.NEW, Kind.REPLACED}),
    "as many came as were there": (
        lambda s: replace(s, files=2 * s.files, new=s.files),
        {Kind.NEW},
    ),
    "a third of the rows is gone": (lambda s: replace(s, rows=s.rows * 2 // 3), {Kind.EMPTIED}),
    "half of the bytes are gone": (lambda s: replace(s, bytes=s.bytes // 2), {Kind.SHRANK}),
    "a third of the files is gone": (lambda s: replace(s, files=s.files * 2 // 3), {Kind.FEWER}),
    "twice as much": (lambda s: replace(s, bytes=s.bytes * 2), {Kind.GREW}),
    "noise where text was": (
        lambda s: replace(s, added=90 * MIB, packed=90 * MIB),
        {Kind.DENSE},
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_named(case: str) -> None:
    change, expected = ODD[case]
    for seed in range(20):
        past = year(seed)
        now = change(night(random.Random(seed), past[-1]))
        assert kinds(past, now) == expected


def test_odd_nights_in_the_past_do_not_blind_it() -> None:
    past = year(1)
    for k in range(0, len(past), 3):  # a third of the past was odd
        past[k] = replace(past[k], changed=past[k].files)
    assert kinds(past, replace(past[-1], changed=past[-1].files)) == {Kind.CHANGED}


def test_a_set_that_always_changes_is_usual() -> None:
    """Each night a dump is all new files."""
    past = [replace(USUAL, new=USUAL.files, files=USUAL.files) for _ in range(20)]
    assert not anomaly.judge(past, past[-1])


GRAVE: dict[str, tuple[Callable[[Shape], Shape], bool]] = {
    "all files rewritten": (lambda s: replace(s, changed=s.files, added=s.bytes), True),
    "all files given to somebody": (lambda s: replace(s, changed=s.files), False),
    "all files encrypted under new names": (lambda s: replace(s, new=s.files, added=s.bytes), True),
    "all files moved": (lambda s: replace(s, new=s.files), False),
    "most of the files gone": (lambda s: replace(s, files=s.files * 2 // 5), True),
    "most of the bytes gone": (lambda s: replace(s, bytes=s.bytes * 2 // 5), True),
    "most of the rows gone": (lambda s: replace(s, rows=s.rows * 2 // 5), True),
    "a third of the files gone": (lambda s: replace(s, files=s.files * 2 // 3), False),
    "a great import": (lambda s: replace(s, files=3 * s.files, new=2 * s.files), False),
}


@pytest.mark.parametrize("nights", [1, 3, anomaly.ENOUGH - 1, 40])
@pytest.mark.parametrize("case", GRAVE)
def test_what_destroys_is_grave_from_the_second_night_on(case: str, nights: int) -> None:
    change, grave = GRAVE[case]
    past = year(3)[:nights]
    found = anomaly.judge(past, change(night(random.Random(3), past[-1])))
    assert any(one.grave for one in found) is grave
    assert nights >= anomaly.ENOUGH or all(one.grave for one in found)


def test_of_a_few_files_nothing_is_said_early() -> None:
    few = Shape(12, 9000, new=0, changed=0, added=0, packed=0, rows=5)
    assert not anomaly.judge([few], replace(few, files=4, bytes=100, changed=4, rows=1))


def test_a_young_set_that_always_changes_much_is_not_grave() -> None:
    past = [replace(USUAL, changed=5000, added=4000 * MIB)] * 3
    assert not anomaly.judge(past, replace(USUAL, changed=9000, added=5000 * MIB))


def test_an_empty_set_is_no_division_by_nothing() -> None:
    past = [Shape(0, 0, 0, 0, 0, 0)] * 20
    assert not anomaly.judge(past, past[-1])
    assert kinds(past, USUAL) == set()


def test_noise_is_told_from_text_and_from_what_is_dense_by_nature() -> None:
    chance = random.Random(4)
    noise = chance.randbytes(1 << 14)
    assert anomaly.noise(noise) is True
    assert anomaly.noise(b"dossier number 12, accepted\n" * 600) is False
    assert anomaly.noise(b"%PDF" + noise) is False
    assert anomaly.noise(b"\x00\x00\x00\x18ftyp" + noise) is False
    assert anomaly.noise(noise[:100]) is None
    assert anomaly.entropy(b"\x00" * 100) == 0
    assert anomaly.entropy(bytes(range(256))) == 8


@pytest.mark.parametrize(
    ("noisy", "plain", "odd"), [(10, 0, True), (9, 1, True), (4, 0, False), (5, 5, False)]
)
def test_a_sample_is_scrambled_when_most_of_it_is_noise(noisy: int, plain: int, odd: bool) -> None:
    chance = random.Random(5)
    heads = [chance.randbytes(1 << 13) for _ in range(noisy)] + [b"text " * 2000] * plain
    assert (anomaly.scrambled(heads) is not None) is odd
