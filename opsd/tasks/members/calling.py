"""Call a command of the site within its limits, and end all that it started.

What it starts is known by its environment: whoever leaves its process group or its session is still
found by `OPSD_PLACE`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.config.command import SiteCommand
from opsd.drivers import process, system
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, OpsdError, ScratchFull, TimedOut
from opsd.policy import calls, preflight
from opsd.policy.calls import Told

_TICK_SECONDS = 0.3
_LINGERS = timedelta(seconds=5)  # until a server that stays has left its starter's group
_MANIFEST = "told.json"
_LARGEST = 64 << 20  # bytes of a manifest


@dataclass(frozen=True, slots=True)
class Call:
    """One call: of which command, in which directory of ours; all that it writes goes there.

    `told` are variables of its environment besides those of every call.
    """

    member: str
    verb: str
    command: SiteCommand
    place: Path
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        """Where the command says what it saw."""
        return self.place / _MANIFEST


def call(made: Call, left: timedelta, stop: Stop) -> None:
    """Run it to its end. Raises what its end, or a limit that it passed, stands for.

    All that it started is ended with it; a `restore` that is done leaves its servers to `verify`.
    """
    stays = False
    try:
        _run(made, min(left, made.command.timeout), stop)
        stays = made.verb == calls.RESTORE
    finally:
        if not stays:
            system.end_workers(made.place)


def _run(made: Call, limit: timedelta, stop: Stop) -> None:
    made.manifest.unlink(missing_ok=True)
    command = process.Command(
        made.command.argv,
        limit,
        env={**made.told, system.PLACE: str(made.place), "OPSD_MANIFEST": str(made.manifest)},
        cwd=made.place,
        lingers=_LINGERS if made.verb == calls.RESTORE else timedelta(),
    )
    halt, before = Stop(stop), _written(made)
    try:
        with _bounded(made, before, halt) as passed:
            done = process.run(command, stop=halt)
    except Cancelled:
        if passed:
            raise passed[0] from None
        raise
    except TimedOut as error:
        raise TimedOut(
            "command.timed_out", member=made.member, verb=made.verb, limit=limit
        ) from error
    against = calls.judge_exit(made.member, made.verb, done.exit_code, done.complaint)
    if against := against or _passed(made, before):
        raise against


def told(made: Call) -> Told:
    """What the command says that it saw. Raises when it says nothing that can be understood."""
    try:
        if made.manifest.stat().st_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST >> 20} MiB")
        return calls.read(made.manifest.read_bytes())
    except FileNotFoundError:
        raise calls.over(made.member, made.verb, "command.told_nothing") from None
    except (ValueError, RecursionError) as odd:
        raise calls.over(made.member, made.verb, "command.told_oddly", why=str(odd)) from odd


@contextmanager
def _bounded(made: Call, before: int, halt: Stop) -> Iterator[list[OpsdError]]:
    """End the command when it takes more than it may; which limit that was is given."""
    over, passed = threading.Event(), list[OpsdError]()

    def watch() -> None:
        while not over.wait(_TICK_SECONDS):
            if error := _passed(made, before):
                passed.append(error)
                halt.request()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield passed
    finally:
        over.set()
        watcher.join()


def _passed(made: Call, before: int) -> OpsdError | None:
    """The limit that is passed by now, if one is."""
    room = system.space(made.place)
    if room.free < preflight.spare_room(room.total):
        return ScratchFull("scratch.full", detail=f"{made.place}: ended before the disk was full")
    written, memory = _written(made) - before, system.memory_of(made.place)
    for key, used, limit in (
        ("command.output", written, made.command.output),
        ("command.memory", memory, made.command.memory),
    ):
        if used > limit:
            return calls.over(made.member, made.verb, key, limit=limit, used=Size(used))
    return None


def _written(made: Call) -> int:
    return sum(file.size for file in system.files_below(made.place))
