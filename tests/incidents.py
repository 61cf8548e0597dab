"""An incident from its fault to its end: real hosts, real services, the check that raised it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from opsd import app, assembly
from opsd.clock import Clock, now
from opsd.config.load import load
from opsd.drivers.process import Stop
from opsd.keeping import Word
from opsd.model import CheckId, Finding, Incident, Severity, Status
from opsd.playbook import occasion
from opsd.response import Ending, Origin, Page, Response
from opsd.tasks.respond import asking
from opsd.tasks.respond.deciding import propose
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import planned
from opsd.tasks.respond.responding import Round, begin

PERSONS = ("nguyenvana", "tranthib")


@dataclass
class Desk:
    """Where incidents are answered; `spent` are the seconds from the fault to each end."""

    means: Means
    ended: list[Ending | None]

    def raised(self, about: CheckId) -> tuple[Incident, Status]:
        """An incident of a check that is critical just now, as the watch opens one."""
        at = now()
        made = Incident("", about, at, at, "", Finding(Severity.FAULT, "check.gone"))
        return made, self.means.judge(occasion(made))

    def open(self, about: CheckId, cause: str) -> Incident:
        """The fault is real: its check says so before anything is done."""
        made, status = self.raised(about)
        assert status is Status.CRITICAL, (about, status)
        opened = replace(made, cause=cause)
        return self.begun(opened)

    def begun(self, incident: Incident) -> Incident:
        """Into the history, with its code."""
        return replace(incident, code=self.means.responses.open_incident(incident))

    def round(self) -> None:
        """What a running daemon does again and again."""
        Round(lambda: self.means, lambda one: self.ended.append(begin(self.means, one))).go()

    def agree(self, response: str, *persons: str) -> None:
        """People say yes."""
        for who in persons:
            asking.vote(self.means, response, Word(now(), who, "seen"), agreed=True)

    def answered(self, incident: Incident, persons: int = 0) -> Response | None:
        """What became of it, after so many people agreed."""
        self.round()
        found = self.means.responses.responses_to(incident.code)
        if not found:
            return None
        if persons:
            assert found[-1].started_at is None, "it was begun before anybody agreed"
            self.agree(found[-1].id, *PERSONS[: persons - 1])
            self.round()
            before = self.means.responses.response(found[-1].id)
            assert before is not None
            assert before.started_at is None, "it was begun with one person too few"
            self.agree(found[-1].id, PERSONS[persons - 1])
            self.round()
        return self.means.responses.response(found[-1].id)

    def by_hand(self, playbook: str, about: CheckId, persons: int) -> Response:
        """A person wants it, and others agree."""
        from_hand = occasion(
            Incident("", about, now(), now(), "", Finding(Severity.NOTE, "check.gone"))
        )
        made = planned(self.means, playbook, from_hand, by_hand=True)
        assert not made.refusals, made.refusals
        response = propose(self.means, made, Origin.HAND, PERSONS[0])
        self.agree(response.id, *PERSONS[:persons])
        self.round()
        found = self.means.responses.response(response.id)
        assert found is not None
        return found

    def pages(self) -> list[Page]:
        """Whom it called, and with what."""
        return list(self.means.responses.pages())

    def told(self, response: Response) -> str:
        """Each step and what it said, for a test that fails."""
        return "\n".join(
            f"{one.intent.step} {one.end and one.end.fate} {one.end and one.end.output}"
            f" {one.end and one.end.said}"
            for one in self.means.responses.attempts(response.id)
        )


@contextmanager
def answering(config: Path, stop: Stop | None = None, clock: Clock = now) -> Iterator[Desk]:
    """Everything that answers, wired as the daemon has it."""
    kit = assembly.assemble(load(config), stop=stop, clock=clock)
    with (
        closing(kit.store),
        closing(assembly.responses(kit.config)) as responses,
        closing(Reach(kit.config, kit.clock)) as reach,
    ):
        yield Desk(app.means(kit, responses, reach), [])


def written(path: Path, values: Mapping[str, Any]) -> Path:
    """A configuration as a file."""
    path.write_text(yaml.safe_dump(dict(values), allow_unicode=True))
    return path


@dataclass
class Stopwatch:
    """The seconds since a fault."""

    began: float

    @property
    def seconds(self) -> float:
        """So long ago."""
        return time.monotonic() - self.began


def timed() -> Stopwatch:
    """From now on."""
    return Stopwatch(time.monotonic())


def eventually(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)
