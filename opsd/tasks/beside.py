"""Work that goes on at the same time: it begins in one block and has ended when the block is left.

What fails first ends all the rest through the `Stop` that they share, and is what is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from opsd.drivers.process import Stop
from opsd.tasks.kit import Kit

Done = TypeVar("Done")


class Beside:
    """A block beside which other work goes on; the block itself works with `kit`."""

    def __init__(self, kit: Kit, pool: ThreadPoolExecutor) -> None:
        self.kit = replace(kit, stop=Stop(kit.stop))
        self.failures: list[BaseException] = []
        self._pool = pool

    def start(self, work: Callable[[Kit], Done]) -> Future[Done]:
        """Begin `work`; the kit that it is given ends with the rest and tells its own progress."""
        return self._pool.submit(
            self._watched, work, replace(self.kit, watcher=self.kit.watcher.beside())
        )

    def fail(self, error: BaseException) -> None:
        """Ask everything to end because of `error`."""
        self.failures.append(error)
        self.kit.stop.request()

    def _watched(self, work: Callable[[Kit], Done], kit: Kit) -> Done:
        try:
            return work(kit)
        except BaseException as error:
            self.fail(error)
            raise


@contextmanager
def beside(kit: Kit) -> Iterator[Beside]:
    """Work beside a block. Left when all of it is over; raises what failed first."""
    with ThreadPoolExecutor() as pool:
        block = Beside(kit, pool)
        try:
            yield block
        except BaseException as error:  # noqa: BLE001  (raised below, when the rest has ended)
            block.fail(error)
    if block.failures:
        raise block.failures[0]
