"""opsd answering with its own playbooks, as a process that may be killed.

`python -m tests.faults.playing CONFIG RESPONSE MOMENT`: it says what it writes down, and at the
moment it waits for a word. Each command that is a step is counted on its host, and held there while
its mark lies in the state directory.
"""

from __future__ import annotations

import hashlib
import os
import select
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from opsd import app, assembly
from opsd.clock import now
from opsd.config.load import load
from opsd.playbook import Facts, Occasion, Plan, Playbook, Question, Terms
from opsd.response import Page, Response, StepEnd
from opsd.store import Responses
from opsd.tasks.kit import Kit
from opsd.tasks.respond import running
from opsd.tasks.respond.hands import Did, Hand, Order, Reach
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.responding import begin
from tests.site import ROOT

PATIENCE = 120.0
GRACE = timedelta(seconds=1)
_DEADLINE, _JUDGED = timedelta(seconds=12), timedelta(seconds=4)
# Counts a command, and holds it while a file is there.
_HELD = 'echo "$1" >>"$2"; while [ -e "$3" ]; do sleep 0.05; done; shift 3; exec "$@"'


def mark(argv: tuple[str, ...]) -> str:
    """By what a command is counted."""
    return hashlib.sha256(shlex.join(argv).encode()).hexdigest()[:16]


def counted(state: Path) -> Path:
    """Where commands are counted."""
    return state / "counted"


def hold(state: Path, argv: tuple[str, ...]) -> Path:
    """What holds a command while it is there."""
    return state / f"hold-{mark(argv)}"


@dataclass(frozen=True, slots=True)
class Short:
    """A playbook whose steps on hosts, and its judgement, have short deadlines."""

    inner: Playbook

    @property
    def terms(self) -> Terms:
        """The same, but for the judgement."""
        return replace(self.inner.terms, judged_within=_JUDGED)

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The same."""
        return self.inner.look(found)

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """The same steps, sooner."""
        made = self.inner.plan(found, facts)
        steps = tuple(
            replace(step, timeout=min(step.timeout, _DEADLINE)) if step.argv else step
            for step in made.steps
        )
        return replace(made, steps=steps)


def shortened(means: Means) -> Means:
    """Every playbook with short deadlines."""
    books: Mapping[str, Playbook] = {n: Short(one) for n, one in means.playbooks.items()}
    return replace(means, playbooks=books)


@dataclass(frozen=True, slots=True)
class Counting:
    """A hand that counts what is done with it; what is only asked goes its way."""

    inner: Hand
    state: Path

    def do(self, order: Order) -> Did:
        """Count it there, just before it is done."""
        if not order.quiet:
            files = str(counted(self.state)), str(hold(self.state, order.argv))
            argv = ("sh", "-c", _HELD, "sh", mark(order.argv), *files, *order.argv)
            order = replace(order, argv=argv)
        return self.inner.do(order)


class Counted(Reach):
    """The hands of hosts, each counting."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit.config, kit.clock)
        self._state = kit.config.state

    def hand(self, name: str) -> Hand:
        """The hand of a host."""
        return Counting(super().hand(name), self._state)


class Announcing(Responses):
    """A journal that says what it writes, and waits at one moment."""

    moment = ""

    def say(self, word: str) -> None:
        """Say it; at the moment that is waited for, wait for a word."""
        print(word, flush=True)
        if word == self.moment:
            sys.stdin.readline()

    def intend(
        self, response: str, step: str, at: datetime, until: datetime, *, undoing: bool = False
    ) -> int:
        """Say before and after."""
        word = f"{'undo' if undoing else 'do'} {step}"
        self.say(f"before {word}")
        key = super().intend(response, step, at, until, undoing=undoing)
        self._under_way = word
        self.say(f"within {word}")
        return key

    def end_step(self, end: StepEnd) -> None:
        """Say before and after."""
        self.say(f"after {self._under_way}")
        super().end_step(end)
        self.say(f"ended {self._under_way}")

    def end_response(self, ended: Response, page: Page | None = None) -> None:
        """Say after."""
        super().end_response(ended, page)
        self.say("over")


def main(config: Path, response: str, moment: str) -> None:
    running.GRACE = GRACE
    kit = assembly.assemble(load(config), clock=now)
    journal = Announcing(assembly.history(kit.config))
    journal.moment = moment
    with closing(kit.store), closing(journal), closing(Counted(kit)) as reach:
        means = shortened(app.means(kit, journal, reach))
        found = journal.response(response)
        assert found is not None
        begin(means, found)


@dataclass
class Player:
    """A child that plays, seen from its parent."""

    process: subprocess.Popen[bytes]
    said: list[str] = field(default_factory=list)

    def until(self, word: str) -> bool:
        """Read on until it says the word; false where it ended before."""
        assert self.process.stdout is not None
        while word not in self.said:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            assert ready, (word, self.said)
            line = self.process.stdout.readline()  # unbuffered: nothing is read ahead of select
            if not line:
                return False
            self.said.append(line.decode().strip())
        return True

    def go_on(self) -> None:
        """Give the word that it waits for."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    def ended(self) -> None:
        """Wait for its end, by itself."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        self.said += (out or b"").decode().splitlines()
        assert self.process.returncode == 0, self.said

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def player(config: Path, response: str, moment: str) -> Iterator[Player]:
    """Start one; whatever happens, it does not stay."""
    argv = (sys.executable, "-m", "tests.faults.playing", str(config), response, moment)
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        env=os.environ,
    ) as process:
        try:
            yield Player(process)
        finally:
            if process.poll() is None:
                process.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
