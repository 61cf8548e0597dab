"""Answering incidents while the daemon runs: one thread goes round, some look, some do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from opsd import app, assembly
from opsd.config.schema import Config
from opsd.drivers.ssh import Tally
from opsd.errors import Cancelled, OpsdError
from opsd.metrics import Answered
from opsd.response import Response
from opsd.tasks.kit import Kit
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.responding import Round, begin

log = logging.getLogger(__name__)

_PULSE = timedelta(seconds=1)
# Connections are there before they are needed: fifty that are opened at once take seconds.
_MEETING = timedelta(seconds=30)
_MEETS = 4
# As many hosts as are looked at, and responses that are under way, at the same time. Most wait.
_LOOKS, _THREADS = 32, 64
# How long a step under way may go on when the daemon ends; systemd waits longer.
_LAST_STEP = timedelta(seconds=20)


class Responder:
    """Answers what the history says is open. `config` is asked anew when it was read again.

    Raises `StorageFailed` where what it keeps cannot be opened.
    """

    def __init__(self, kit: Kit, config: Callable[[], Config]) -> None:
        self._kit = kit
        self._config = config
        self._responses = assembly.responses(kit.config)
        self._reach = Reach(kit.config, kit.clock)
        self._means = app.means(kit, self._responses, self._reach)
        self._looks = ThreadPoolExecutor(_LOOKS, thread_name_prefix="look")
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="respond")
        self._round = Round(lambda: self._means, self._submit, self._looks.submit, self.wake)
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._live, name="respond", daemon=True)
        self._ended = threading.Event()
        self._host = threading.Thread(target=self._meet_again, name="respond:meet", daemon=True)

    def begin(self) -> None:
        """Start to answer; first of all what died with the last process is settled."""
        self._thread.start()
        self._host.start()

    def adopt(self) -> None:
        """Answer by the configuration of the moment."""
        config = self._config()
        self._reach.adopt(config)
        self._means = app.means(replace(self._kit, config=config), self._responses, self._reach)
        self.wake()

    def wake(self) -> None:
        """There is something new in the history: look at once."""
        self._woken.set()

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """How often the way to each host was tried."""
        return self._reach.tallies

    def answered(self) -> Answered:
        """How incidents were answered, and how things stand."""
        means, store = self._means, self._responses
        return Answered(
            configured=means.kit.config.automation.enabled,
            playbooks=tuple(means.playbooks),
            responses=store.summaries(),
            held_back=store.held_back(),
            breakers=store.breakers(ended=True),
            switches=store.switches(),
        )

    def close(self) -> None:
        """Decide nothing more, let the steps under way end for a while, let go of the hosts."""
        self._ending = True
        self._ended.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()
        patience = threading.Timer(_LAST_STEP.total_seconds(), self._reach.close)
        patience.start()
        self._looks.shutdown(cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)
        patience.cancel()
        self._reach.close()
        if self._host.ident is not None:
            self._host.join()
        self._responses.close()

    def _live(self) -> None:
        while not self._ending:
            try:
                self._round.go()
            except OpsdError as error:
                log.error("incidents cannot be answered: %s", error)  # noqa: TRY400
            except Exception:
                log.exception("answering incidents failed itself")
            self._woken.wait(_PULSE.total_seconds())
            self._woken.clear()

    def _meet_again(self) -> None:
        """Be connected to the hosts that playbooks may touch, where they do so by themselves."""
        with ThreadPoolExecutor(_MEETS, thread_name_prefix="meet") as pool:
            while not self._ended.is_set():
                means = self._means
                if means.kit.config.automation.enabled:
                    list(pool.map(self._meet, _touched(means)))
                self._ended.wait(_MEETING.total_seconds())

    def _meet(self, host: str) -> None:
        try:
            self._reach.meet(host)
        except OpsdError as error:
            log.debug("%s cannot be met: %s", host, error)  # the watch tells so
        except Exception:
            log.exception("%s cannot be met: opsd itself failed", host)

    def _submit(self, one: Response) -> None:
        with self._lock:
            if one.id in self._busy:
                return
            self._busy.add(one.id)
        self._pool.submit(self._begin, one)

    def _begin(self, one: Response) -> None:
        try:
            begin(self._means, one)
        except Cancelled:
            log.warning("response %s was cut off: opsd ends", one.id)
        except OpsdError as error:
            log.error("response %s: %s", one.id, error)  # noqa: TRY400
        except Exception:
            log.exception("response %s: opsd itself failed", one.id)
        finally:
            with self._lock:
                self._busy.discard(one.id)


def _touched(means: Means) -> tuple[str, ...]:
    """The hosts that some playbook may touch."""
    terms = [one.terms for one in means.playbooks.values() if one.terms.enabled]
    return tuple(h for h in means.kit.config.hosts if any(one.may_touch(h) for one in terms))
