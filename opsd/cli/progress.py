"""How far a run is, for a person: one line that is redrawn, or one line a phase."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from opsd import catalogue
from opsd.catalogue import SENTENCES, Language
from opsd.clock import Stopwatch
from opsd.report.layout import cut, pad, width

_REDRAW_SECONDS = 0.1
_TURN_SECONDS = 3.0  # for which one is shown of those that go on at the same time
_WINDOW_SECONDS = 15.0  # the speed is that of the last moments, not of all
_BAR = 20
_SHORTEST_BAR = 8
_CLEAR = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class View:
    """What is to be shown: a phase, and how much of it is done at which speed (bytes a second)."""

    phase: str
    subject: str = ""
    done: int = 0
    total: int = 0
    speed: float = 0.0


def line(view: View, columns: int, language: Language) -> str:
    """The view in at most `columns`; what matters least is left out first."""
    title = " ".join(part for part in (name_of(view.phase, language), view.subject) if part)
    if not view.done and not view.total:
        return cut(f"{title}…", columns)
    known = view.total > 0
    amount = catalogue.size(language, view.done)
    if known:
        amount += f" / {catalogue.size(language, view.total)}"
    share = min(1.0, view.done / view.total) if known else 0.0
    percent = f"{int(share * 100):3d}%" if known else ""
    for parts, bar in (
        ((amount, *_pace(view, language)), _BAR),
        ((amount, *_pace(view, language)), _SHORTEST_BAR),
        (_pace(view, language), _SHORTEST_BAR),
        (_pace(view, language)[-1:], _SHORTEST_BAR),
        ((), _SHORTEST_BAR),
    ):
        drawn = f"[{_bar(share, bar)}]" if known else ""
        text = "  ".join(part for part in (title, drawn, percent, *parts) if part)
        if width(text) <= columns:
            return text
    return cut(f"{title}  {percent}", columns)


def name_of(phase: str, language: Language) -> str:
    """A phase in words."""
    key = f"phase.{phase}"
    return catalogue.say(language, key) if key in SENTENCES else phase


def _pace(view: View, language: Language) -> tuple[str, ...]:
    if view.speed <= 0:
        return ()
    speed = catalogue.say(
        language, "progress.speed", speed=catalogue.size(language, int(view.speed))
    )
    if view.total <= view.done:
        return (speed,)
    left = timedelta(seconds=round((view.total - view.done) / view.speed))
    return speed, catalogue.say(language, "progress.left", left=left)


def _bar(share: float, columns: int) -> str:
    full = int(share * columns)
    return pad("#" * full, columns).replace(" ", "-")


class Progress:
    """A watcher that shows the run on `stream`. Called from several threads.

    What goes on at the same time shares the line: each is shown for some seconds in its turn.
    """

    def __init__(self, stream: TextIO, language: Language, line: _Line | None = None) -> None:
        self._line = line or _Line(stream)
        self._stream = stream
        self._language = language
        self._watch = Stopwatch()
        self._view = View("")
        self._samples: deque[tuple[float, int]] = deque()

    def beside(self) -> Progress:
        """The watcher of what goes on at the same time."""
        return Progress(self._stream, self._language, self._line)

    def phase(self, name: str, subject: str = "") -> None:
        """A new phase begins."""
        again = (name, subject) == (self._view.phase, self._view.subject)
        self._view = View(name, subject)
        self._samples.clear()
        if self._line.live:
            self._line.draw(self, self._drawn, at_once=True)
        elif not again:
            title = " ".join(p for p in (name_of(name, self._language), subject) if p)
            self._line.write(f"opsd: {title}\n")

    def advance(self, done: int, total: int) -> None:
        """So much of the phase is done."""
        if not self._line.live:
            return
        speed = self._speed(self._watch.elapsed().total_seconds(), done)
        self._view = View(self._view.phase, self._view.subject, done, total, speed)
        self._line.draw(self, self._drawn)

    def close(self) -> None:
        """Leave the line clean for what follows."""
        if self._line.live:
            self._line.write(_CLEAR)

    def _speed(self, now: float, done: int) -> float:
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while now - self._samples[0][0] > _WINDOW_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        began, first = self._samples[0]
        return (done - first) / (now - began) if now - began > 1 else 0.0

    def _drawn(self, columns: int) -> str:
        return line(self._view, columns, self._language)


class _Line:
    """The line on the terminal, and whose turn it is."""

    def __init__(self, stream: TextIO) -> None:
        self.live = stream.isatty()
        self._stream = stream
        self._lock = threading.Lock()
        self._watch = Stopwatch()
        self._shown: Progress | None = None
        self._turn_at = 0.0
        self._drawn_at = -_REDRAW_SECONDS

    def draw(self, whose: Progress, drawn: Callable[[int], str], *, at_once: bool = False) -> None:
        """Show `whose` progress, when it is its turn and the line is not just drawn."""
        with self._lock:
            now = self._watch.elapsed().total_seconds()
            if whose is not self._shown:
                if self._shown and not at_once and now - self._turn_at < _TURN_SECONDS:
                    return
                self._shown, self._turn_at = whose, now
            elif not at_once and now - self._drawn_at < _REDRAW_SECONDS:
                return
            self._drawn_at = now
            self._write(_CLEAR + drawn(self._columns() - 1))

    def write(self, text: str) -> None:
        """Show a text as it is."""
        with self._lock:
            self._write(text)

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        """Show it; a terminal that went away ends nothing."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.live = False
