"""What a command works at: its arguments, the language, the configuration, the kit."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from opsd import assembly, catalogue
from opsd.catalogue import Language
from opsd.cli import logs
from opsd.cli.progress import Progress
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.config.load import load
from opsd.config.schema import Config
from opsd.drivers.process import Stop
from opsd.report.voice import Voice
from opsd.store import Store
from opsd.tasks.kit import Kit, Nobody, Watcher

_OURS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Desk:
    """One command under way. `log` is where its log is, once there is one."""

    arguments: argparse.Namespace
    language: Language
    config_path: Path
    parser: Parser
    stop: Stop = field(default_factory=Stop)
    log: Path | None = None

    @cached_property
    def config(self) -> Config:
        """The configuration. Raises `ConfigMistakes` with everything wrong in it."""
        return load(self.config_path)

    @property
    def bare(self) -> bool:
        """Whether the command line itself names the repository: no configuration is needed."""
        return bool(getattr(self.arguments, "repository_url", None))

    @property
    def voice(self) -> Voice:
        """How the answer is said."""
        return Voice(self.language, zone_of(None if self.bare else self.config))

    @property
    def json(self) -> bool:
        """Whether a program reads the answer."""
        return bool(self.arguments.json)

    def keep_log(self) -> None:
        """Log into the state directory from now on, where that is possible."""
        self.log = logs.keep(self.config.state)

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Somebody who shows the progress, unless nobody wants to see it."""
        if self.json or self.arguments.quiet:
            yield Nobody()
            return
        progress = Progress(sys.stderr, self.language)
        try:
            yield progress
        finally:
            progress.close()

    @contextmanager
    def kit(self) -> Iterator[Kit]:
        """Everything a task works with, closed at the end; progress is shown meanwhile."""
        self.keep_log()
        with self.watching() as watcher:
            kit = assembly.assemble(self.config, stop=self.stop, watcher=watcher)
            try:
                yield kit
            finally:
                kit.store.close()

    @contextmanager
    def doors(self) -> Iterator[Kit]:
        """A kit with an empty history that is thrown away: for what must work without any."""
        with tempfile.TemporaryDirectory(prefix="opsd-") as place:
            store = Store(Path(place) / assembly.STORE)
            try:
                yield Kit(self.config, store, now, self.stop)
            finally:
                store.close()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask the work to end in order; asking twice changes nothing."""

        def ask(_: int, __: FrameType | None) -> None:
            if not self.stop.requested:
                self.stop.request()
                said = catalogue.say(self.language, "cli.stopping")
                os.write(sys.stderr.fileno(), f"\nopsd: {said}\n".encode())

        before = {number: signal.signal(number, ask) for number in _OURS}
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)


def zone_of(config: Config | None) -> ZoneInfo:
    """The zone of a configuration; of a broken one that of Vietnam."""
    return config.zone if config else ZoneInfo("Asia/Ho_Chi_Minh")
