"""Durable execution: each slot is worked on once, whatever restarts and however many nodes fire it.

A slot is claimed in the store before anything of it is done, and goes on where it was cut short:
the runs of the history say what is done already. A node that shares its store tells every few
seconds that it lives. One that was silent for too long is given up by the others, which go on with
its work; by then it has stopped by itself, and its claims are worth nothing any more. The tasks
know nothing of all this. Why not a library: docs/adr/0016.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsd.clock import Clock
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, OpsdError, Refused, StorageFailed
from opsd.store import Claim, Claims, End, Fenced, Node, Server

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a node tells that it lives, and after how much silence it counts as gone.

    It stops its work a good while before the others go on with it: in between lies what it takes to
    end a program.
    """

    beat: timedelta = timedelta(seconds=7)
    stopped: timedelta = timedelta(seconds=21)
    gone: timedelta = timedelta(seconds=35)


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do for one slot."""

    task: str
    target: str
    slot: datetime

    @property
    def id(self) -> str:
        """By what every node knows it; those of one target sort by their slot."""
        return f"{self.prefix}{self.slot.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"

    @property
    def prefix(self) -> str:
        """What the ids of all slots of the target begin with."""
        return f"{self.task}:{self.target}:"


class Attempt:
    """A claimed piece of work, while it is done; one of which nobody says its end was cut short.

    Raises `Cancelled` when the work is no longer this node's.
    """

    def __init__(self, claims: Claims, claim: Claim, clock: Clock, stop: Stop) -> None:
        self._claims = claims
        self._clock = clock
        self.claim = claim
        self.stop = stop

    def finish(self) -> None:
        """It came to its end, be it a bad one."""
        self._end(End.DONE)

    def lose(self) -> None:
        """Nothing of it could be recorded: it does not count as a try."""
        self._end(End.LOST)

    def _end(self, end: End) -> None:
        try:
            self._claims.end(self.claim, self._clock(), end)
        except Fenced as fenced:
            raise Cancelled("engine.given_up", work=self.claim.work) from fenced


@dataclass(slots=True)
class _Life:
    node: str
    heard: float  # monotonic, when it was last written down that it lives
    first: bool
    over: bool = False


class _WhileAlive(Stop):
    """Ends the work of a node that could not tell for too long that it lives."""

    def __init__(self, parent: Stop, silent: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._silent = silent

    @property
    def requested(self) -> bool:
        """Whether the end was asked for, or goes without saying."""
        return super().requested or self._silent()


class Engine:
    """The door to durable execution, for one daemon."""

    def __init__(
        self, claims: Claims, clock: Clock, stop: Stop, *, tries: int, pace: Pace | None = None
    ) -> None:
        self._claims = claims
        self._clock = clock
        self._stop = stop
        self._tries = tries
        self._pace = pace or Pace()
        self._shared = isinstance(claims.place, Server)
        self._under_way: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pulse: threading.Thread | None = None
        self._life: _Life | None = None

    @property
    def shared(self) -> bool:
        """Whether other nodes may be there."""
        return self._shared

    @property
    def first(self) -> bool:
        """Whether this is the node that does what one alone is to do: the one here longest."""
        return self._life is not None and self._life.first and not self.silent

    @property
    def silent(self) -> bool:
        """Whether the others may be about to give this node up."""
        life = self._life
        if life is None or not self._shared:
            return life is None
        return life.over or time.monotonic() - life.heard > self._pace.stopped.total_seconds()

    # --- the life of the node

    def begin(self, name: str, home: Path, on_left: Callable[[str], None]) -> None:
        """Enter the store under a name; `home` is a directory that only one daemon holds at a time.

        `on_left` is told the id of each piece of work that somebody has to go on with. Raises
        `Refused` when another node has the name.
        """
        self._name, self._home = name, _mark(home)
        self._life = self._enter()
        if self._shared:
            self._pulse = threading.Thread(
                target=self._live, args=(on_left,), name="engine", daemon=True
            )
            self._pulse.start()

    def end(self) -> None:
        """Leave: what is not at its end may be taken over at once."""
        self._ended.set()
        if self._pulse is not None:
            self._pulse.join()
        try:
            if self._life is not None:
                self._claims.leave(self._life.node)
        except StorageFailed as error:
            log.warning("the others will see for themselves that this node has ended: %s", error)
        finally:
            self._claims.close()

    # --- its work

    def wants(self, work: Work, *, untried: bool) -> bool:
        """Whether somebody has to do it; `untried` answers for work that nobody ever claimed."""
        attempts = self._claims.attempts(work.id)
        return untried if not attempts else not self._claims.over(work.id)

    @contextmanager
    def attempt(self, work: Work) -> Iterator[Attempt | None]:
        """Claim a piece of work; nothing when it is over, or somebody else does it."""
        claim = self._take(work)
        if claim is None:
            yield None
            return
        stop = _WhileAlive(self._stop, lambda: self.silent)
        try:
            yield Attempt(self._claims, claim, self._clock, stop)
        finally:
            self._let_go(work.id)

    def _take(self, work: Work) -> Claim | None:
        life, claim = self._life, None
        with self._lock:
            if life is None or self.silent or work.id in self._under_way:
                return None
            busy = frozenset(self._under_way)
            self._under_way.add(work.id)
        try:
            for passed in self._claims.pass_over(
                work.prefix, work.id, self._clock(), life.node, busy
            ):
                log.warning("%s was cut short, and the next slot came first", passed)
            found = self._claims.take(work.id, life.node, self._clock(), self._tries)
            claim = found if isinstance(found, Claim) else None
            if found is End.GIVEN_UP:
                log.error("%s was cut short %d times: given up", work.id, self._tries)
            elif claim is not None and claim.before is not None:
                log.warning("%s was cut short on %s: begun again", work.id, claim.before.name)
        except Fenced:
            life.over = True
        finally:
            if claim is None:
                self._let_go(work.id)
        return claim

    def _let_go(self, work: str) -> None:
        with self._lock:
            self._under_way.discard(work)

    # --- its pulse

    def _enter(self) -> _Life:
        node, asked = Node(secrets.token_hex(8), self._name, self._home), time.monotonic()
        rival = self._claims.enter(node, self._pace.gone if self._shared else None)
        if rival is not None:
            raise Refused("engine.name_taken", name=self._name, store=self._claims.place)
        return _Life(node.id, asked, first=not self._shared)

    def _live(self, on_left: Callable[[str], None]) -> None:
        told: set[str] = set()
        while not self._ended.wait(self._pace.beat.total_seconds()):
            try:
                self._beat()
                left = set(self._claims.left())
                for work in sorted(left - told):
                    on_left(work)
                told = left
            except OpsdError as error:
                log.error("this node cannot tell that it lives: %s", error)  # noqa: TRY400

    def _beat(self) -> None:
        life, asked = self._life, time.monotonic()
        if life is None:
            return
        try:
            life.first = self._claims.beat(life.node, self._pace.gone)
            life.heard = asked
        except Fenced:
            life.over = True
            with self._lock:
                if self._under_way:  # it is about to stop
                    return
            log.warning("the others gave this node up: it comes back as a new one")
            self._life = self._enter()


def _mark(home: Path) -> str:
    """What a home is known by: a word that lies in it, since its path says nothing of a machine."""
    mark = home / "node"
    try:
        if mark.exists() and (found := mark.read_text().strip()):
            return found
        found = secrets.token_hex(8)
        mark.write_text(f"{found}\n")
    except OSError as error:
        raise StorageFailed("store.failed", path=mark, detail=str(error)) from error
    return found
