"""Do the same to many items by a few threads, in order, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")

_WORKERS = 2
_WAITING = 64


def ahead(
    work: Callable[[Item], Done], items: Iterable[Item]
) -> Generator[tuple[Item, Done], None, None]:
    """Each item with what `work` made of it, in order; a few are worked on ahead of the reader.

    What was not begun when the reader leaves is not done.
    """
    waiting: deque[tuple[Item, Future[Done]]] = deque()
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > _WAITING:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[Item, Future[Done]]]) -> tuple[Item, Done]:
    item, future = waiting.popleft()
    return item, future.result()
