"""Telling people, in a running daemon: one thread looks what must be told, one a channel sends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from opsd import assembly
from opsd.config.schema import Config
from opsd.errors import OpsdError
from opsd.metrics import Told
from opsd.tasks.kit import Kit
from opsd.tasks.notify import answers, calling, outbox
from opsd.tasks.notify.heartbeat import Pulse

log = logging.getLogger(__name__)

_SECONDS = 1.0


class Switchboard:
    """Begins at once, and follows the configuration. Raises `StorageFailed`.

    A channel that hangs holds up itself alone.
    """

    def __init__(self, kit: Kit, config: Callable[[], Config]) -> None:
        self._kit = kit
        self._config = config
        self._notices = assembly.notices(kit.config)
        self._responses = assembly.responses(kit.config)
        self._end = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._pulses: dict[str, Pulse] = {}
        self._start("", self._look)

    def told(self) -> Told:
        """What was told, for the metrics."""
        channels = self._config().channels
        owned = self._notices.owned()
        unowned = [one.opened_at for one in self._notices.incidents() if one.code not in owned]
        return Told(
            channels={name: self._notices.tally(name) for name in channels},
            unowned=len(unowned),
            oldest_unowned=min(unowned, default=None),
            pulses={
                name: (pulse.arrived_at, pulse.failures)
                for name, pulse in tuple(self._pulses.items())
                if name in self._config().heartbeats
            },
        )

    def close(self) -> None:
        """End what is under way: what was not sent waits in the history."""
        self._end.set()
        for thread in self._threads.values():
            thread.join()
        self._responses.close()
        self._notices.close()

    def _start(self, name: str, work: Callable[[], object]) -> None:
        thread = threading.Thread(
            target=self._again, args=(name, work), name=f"notify:{name}", daemon=True
        )
        self._threads[name] = thread
        thread.start()

    def _again(self, name: str, work: Callable[[], object]) -> None:
        """Do it every second, until the end, or until the channel is gone."""
        while not self._end.wait(_SECONDS):
            if name and name not in self._names(self._config()):
                break
            try:
                work()
            except OpsdError as error:
                log.error("telling people: %s", error)  # noqa: TRY400
            except Exception:
                log.exception("telling people: opsd itself failed")

    def _look(self) -> None:
        config = self._config()
        for name, work in self._names(config).items():
            thread = self._threads.get(name)
            if thread is None or not thread.is_alive():
                self._start(name, work)
        now = self._kit.clock()
        calling.look(self._notices, config, now)
        answers.look(self._notices, self._responses, config, now)

    def _names(self, config: Config) -> dict[str, Callable[[], object]]:
        """What is done in threads of their own: a channel each, and a heartbeat each."""
        return {
            **{f"channel:{name}": partial(self._send, name) for name in config.channels},
            **{f"heartbeat:{name}": partial(self._beat, name) for name in config.heartbeats},
        }

    def _beat(self, name: str) -> None:
        options = self._config().heartbeats.get(name)
        if options is not None:
            pulse = self._pulses.setdefault(name, Pulse(name))
            pulse.beat(options, (self._kit.store, self._notices), self._kit.clock)

    def _send(self, name: str) -> None:
        config = self._config()
        if name in config.channels:
            outbox.work(self._notices, config, name, self._kit.clock, self._end.is_set)
