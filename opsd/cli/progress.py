"""How far a run is, for a person: one line that is redrawn, or one line a phase."""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from opsd import catalogue
from opsd.catalogue import SENTENCES, Language
from opsd.clock import Stopwatch
from opsd.report.layout import cut, pad, width

_REDRAW_SECONDS = 0.1
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
    """A watcher that shows the run on `stream`. Called from several threads."""

    def __init__(self, stream: TextIO, language: Language) -> None:
        self._stream = stream
        self._language = language
        self._live = stream.isatty()
        self._lock = threading.Lock()
        self._watch = Stopwatch()
        self._view = View("")
        self._samples: deque[tuple[float, int]] = deque()
        self._drawn_at = -_REDRAW_SECONDS

    def phase(self, name: str, subject: str = "") -> None:
        """A new phase begins."""
        with self._lock:
            again = (name, subject) == (self._view.phase, self._view.subject)
            self._view = View(name, subject)
            self._samples.clear()
            if self._live:
                self._draw()
            elif not again:
                title = " ".join(p for p in (name_of(name, self._language), subject) if p)
                self._write(f"opsd: {title}\n")

    def advance(self, done: int, total: int) -> None:
        """So much of the phase is done."""
        if not self._live:
            return
        with self._lock:
            now = self._watch.elapsed().total_seconds()
            self._view = View(
                self._view.phase, self._view.subject, done, total, self._speed(now, done)
            )
            if now - self._drawn_at >= _REDRAW_SECONDS:
                self._drawn_at = now
                self._draw()

    def close(self) -> None:
        """Leave the line clean for what follows."""
        with self._lock:
            if self._live:
                self._write(_CLEAR)

    def _speed(self, now: float, done: int) -> float:
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while now - self._samples[0][0] > _WINDOW_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        began, first = self._samples[0]
        return (done - first) / (now - began) if now - began > 1 else 0.0

    def _draw(self) -> None:
        self._write(_CLEAR + line(self._view, self._columns() - 1, self._language))

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
            self._live = False
