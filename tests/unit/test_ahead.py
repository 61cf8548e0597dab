"""Work done ahead of its reader keeps the order, and ends when the reader leaves."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from opsd.tasks.ahead import ahead


def test_every_item_comes_back_in_order() -> None:
    assert list(ahead(lambda n: n * n, range(500))) == [(n, n * n) for n in range(500)]


def test_an_endless_stream_is_not_swallowed() -> None:
    taken = []

    def note(number: int) -> int:
        taken.append(number)
        return number

    stream = ahead(note, count())
    assert next(stream) == (0, 0)
    stream.close()
    assert len(taken) < 200


def test_a_failure_reaches_the_reader_and_ends_the_threads() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda n: 1 // n, [1, 2, 0, 3]))
    assert threading.active_count() == before
