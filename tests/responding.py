"""A place in which incidents are answered: a history, a configuration, playbooks of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from opsd.config.load import load
from opsd.config.schema import Config
from opsd.drivers.process import Stop
from opsd.model import CheckId, Finding, Incident, Severity, Status
from opsd.playbook import (
    Answers,
    Condition,
    Consent,
    Effect,
    Facts,
    Occasion,
    Plan,
    Playbook,
    Question,
    Step,
    Terms,
    say,
)
from opsd.store import Responses, Store
from opsd.tasks.kit import Kit
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Means

BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TERMS = Terms(Answers({"units": frozenset()}), consent=Consent.AUTO, judged_within=timedelta())


@dataclass(frozen=True, slots=True)
class Fixed:
    """A playbook whose plan was written down before."""

    made: Plan
    terms: Terms = TERMS
    questions: tuple[Question, ...] = ()
    planning: Callable[[Occasion, Facts], Plan] | None = None

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What the test wants to be asked."""
        del found
        return self.questions

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """The plan as it was written down, or as the test makes it."""
        return self.planning(found, facts) if self.planning else self.made


def touch(mark: Path, name: str = "one", **changes: object) -> Step:
    """A step that adds a line to a file, so that doing it twice would show."""
    step = Step(
        name,
        say("playbook.disk_full.clean_packages"),
        Effect.CHANGE,
        "local",
        ("sh", "-c", 'echo "$1" >>"$2"', "sh", name, str(mark)),
        done=Condition(("grep", "-x", name, str(mark))),
    )
    return replace(step, **changes)  # type: ignore[arg-type]  # fields of Step


def written(state: Path, hosts: Mapping[str, object], **automation: object) -> dict[str, object]:
    """A configuration, as YAML has it."""
    return {
        "language": "en",
        "demo": True,
        "host": "test-host",
        "state": str(state),
        "repositories": {
            "main": {"url": str(state / "repository"), "password_file": str(state / "password")}
        },
        "backup_sets": {
            "dossiers": {
                "repository": "main",
                "schedule": "23:00",
                "rpo": "26h",
                "rto": "4h",
                "members": {"files": {"kind": "files", "path": str(state / "files")}},
            }
        },
        "hosts": hosts,
        "automation": {"enabled": True, **automation},
    }


def configured(state: Path, hosts: Mapping[str, object], **automation: object) -> Config:
    """A configuration that was written and read."""
    state.mkdir(parents=True, exist_ok=True)
    path = state / "opsd.yaml"
    path.write_text(yaml.safe_dump(written(state, hosts, **automation)))
    return load(path)


@dataclass
class Scene:
    """What the answering works with, a clock of its own, and a check that says what it is told."""

    means: Means
    at: datetime = BEGAN
    status: Status = Status.OK
    asked: list[Occasion] = field(default_factory=list)

    @property
    def responses(self) -> Responses:
        """The journal."""
        return self.means.responses

    def later(self, span: timedelta) -> None:
        """Let time pass."""
        self.at += span

    def use(self, **playbooks: Playbook) -> Means:
        """Answer with these playbooks from now on."""
        self.means = replace(self.means, playbooks=playbooks)
        return self.means

    def incident(
        self, host: str = "local", check: str = "units", cause: str = "failed"
    ) -> Incident:
        """An incident that was opened now."""
        said = Finding(Severity.FAULT, "check.gone")
        made = Incident("", CheckId(host, check, "x.service"), self.at, self.at, cause, said)
        return replace(made, code=self.responses.open_incident(made))


@contextmanager
def scene(
    state: Path, hosts: Mapping[str, object] | None = None, **automation: object
) -> Iterator[Scene]:
    """A place to answer incidents in; this machine is its only host, unless others are given."""
    config = configured(state, hosts or {"local": {}}, **automation)
    store, responses, stop = Store(state / "opsd.sqlite"), Responses(state / "opsd.sqlite"), Stop()
    held: list[Scene] = []

    def clock() -> datetime:
        return held[0].at

    def judge(found: Occasion) -> Status:
        held[0].asked.append(found)
        return held[0].status

    kit = Kit(config, store, clock, stop)
    reach = Reach(config, clock)
    held.append(Scene(Means(kit, responses, {}, reach, judge)))
    try:
        yield held[0]
    finally:
        reach.close()
        responses.close()
        store.close()
