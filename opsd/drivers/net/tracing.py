"""The deadline of a probe, and the record of its phases as they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from opsd.trace import Cause, Facts, Phase

OnPhase = Callable[[Phase], None]


class Broke(Exception):
    """A phase failed: nothing comes after it."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = " ".join(detail.split())


class Blind(Exception):
    """We cannot look: the fault is on our machine, and says nothing of the service."""


class Deadline:
    """The moment at which everything ends."""

    def __init__(self, span: timedelta) -> None:
        self._end = time.monotonic() + span.total_seconds()

    @property
    def over(self) -> bool:
        """Whether it has come."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """The seconds that are left. Raises `TimeoutError` when there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class Tracer:
    """Times each phase; `on_phase` sees it as it ends."""

    def __init__(self, deadline: Deadline, on_phase: OnPhase = lambda _: None) -> None:
        self.deadline = deadline
        self.step = ""
        self.facts = Facts()
        self.phases: list[Phase] = []
        self._on_phase = on_phase

    def know(self, **facts: object) -> None:
        """Add to the facts."""
        self.facts = replace(self.facts, **facts)  # type: ignore[arg-type]  # fields of Facts

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time what is done inside. Whatever ends it early is raised as `Broke`."""
        began = time.monotonic()
        try:
            yield
        except Broke as broke:
            self._end(name, began, broke)
            raise
        except OSError as error:
            late = isinstance(error, TimeoutError)
            ended = Broke(Cause(f"{name}_timeout" if late else f"{name}_reset"), str(error))
            self._end(name, began, ended)
            raise ended from error
        self._end(name, began)

    def _end(self, name: str, began: float, broke: Broke | None = None) -> None:
        seconds = time.monotonic() - began
        cause, detail = (broke.cause, broke.detail) if broke else (None, "")
        self.tell(Phase(name, seconds, cause, detail, self.step))

    def tell(self, phase: Phase) -> None:
        """A phase has ended."""
        self.phases.append(phase)
        self._on_phase(phase)
