"""opsd answering an incident, as a process that may be killed: `python -m tests.faults.answering`.

It says on standard output what it writes down, before and after.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from opsd.clock import now
from opsd.playbook import Condition, Effect, Plan, Step, say
from opsd.response import Page, Response, StepEnd
from opsd.store import Responses
from opsd.tasks.respond.responding import Round, begin
from tests.responding import Fixed, scene, touch
from tests.site import ROOT

_PATIENCE = 30.0
SAID = (say("check.gone"),)


class Announcing(Responses):
    """A journal that says what it writes."""

    def intend(
        self, response: str, step: str, at: datetime, until: datetime, *, undoing: bool = False
    ) -> int:
        """Say before and after."""
        word = f"{'undo' if undoing else 'do'} {step}"
        tell(f"before {word}")
        key = super().intend(response, step, at, until, undoing=undoing)
        tell(f"intends {word}")
        return key

    def end_step(self, end: StepEnd) -> None:
        """Say before and after."""
        tell("before end")
        super().end_step(end)
        tell(f"ended {end.fate}")

    def start_response(self, response: str, at: datetime, node: str) -> None:
        """Say after."""
        super().start_response(response, at, node)
        tell("started")

    def end_response(self, ended: Response, page: Page | None = None) -> None:
        """Say before and after."""
        tell("before over")
        super().end_response(ended, page)
        tell("is over")


def tell(word: str) -> None:
    print(word, flush=True)


def steps(mark: Path) -> tuple[Step, ...]:
    """One that can be taken back, one that cannot, one that opsd does itself, one that fails."""
    undo = ("sed", "-i", "s/^one$/undone/", str(mark))
    slow = 'sleep 0.15; echo "$1" >>"$2"; sleep 0.15'
    first = touch(mark, "one", undo=undo)
    second = touch(mark, "two")
    return (
        Step("freeze", say("check.gone"), Effect.CHANGE, action="freeze_retention"),
        Step(
            "one",
            first.purpose,
            first.effect,
            "local",
            _slow(slow, "one", mark),
            undo=undo,
            done=first.done,
            shows_within=first.shows_within,
        ),
        Step(
            "two",
            second.purpose,
            second.effect,
            "local",
            _slow(slow, "two", mark),
            done=second.done,
        ),
        Step(
            "fails",
            say("check.gone"),
            Effect.CHANGE,
            "local",
            ("false",),
            done=Condition(("false",)),
            undo=("true",),
        ),
    )


def _slow(script: str, name: str, mark: Path) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", name, str(mark))


def playbook(mark: Path, *, fails: bool) -> Fixed:
    """All steps, or those that come out."""
    return Fixed(Plan(SAID, steps(mark) if fails else steps(mark)[:3]))


def main(state: Path, fails: bool) -> None:
    with scene(state) as place:
        place.at = now()
        means = place.use(fix=playbook(state / "mark", fails=fails))
        object.__setattr__(means, "responses", Announcing(state / "opsd.sqlite"))
        if not place.responses.incidents():
            place.incident()
        Round(lambda: means, lambda one: _begin(means, one)).go()
    tell("over")


def _begin(means: object, one: Response) -> None:
    begin(means, one)  # type: ignore[arg-type]


@contextmanager
def child(state: Path, *, fails: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Start one; whatever happens, it does not stay."""
    argv = (sys.executable, "-m", "tests.faults.answering", str(state), str(int(fails)))
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0, start_new_session=True, env=os.environ
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(process: subprocess.Popen[bytes], word: str, times: int) -> bool:
    """Read on until it was said so many times; false where it ended before."""
    assert process.stdout is not None
    while times:
        assert select.select([process.stdout], [], [], _PATIENCE)[0], word
        line = process.stdout.readline().decode()  # unbuffered: nothing is read ahead of select
        if not line:
            return False
        times -= line.strip() == word
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), bool(int(sys.argv[2])))
