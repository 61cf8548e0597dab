"""The life of the daemon: begin, wait, reload, end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opsd import app, assembly, catalogue, logs, store
from opsd.catalogue import Language
from opsd.clock import Steps
from opsd.config import ground
from opsd.config.load import load
from opsd.config.schema import Config
from opsd.daemon import signals
from opsd.daemon.nights import Nights
from opsd.daemon.reception import Reception
from opsd.daemon.switchboard import Switchboard
from opsd.daemon.tally import Tally
from opsd.daemon.timetable import Timetable
from opsd.daemon.wal import Wardens
from opsd.daemon.watch import Watchtower
from opsd.drivers import lock, systemd
from opsd.drivers.postgres.place import Place
from opsd.errors import ConfigError, OpsdError, Refused, StorageFailed
from opsd.metrics import Answered, Board, Collector, Exposition, Sources, Told, Vitals, Watched
from opsd.tasks import audit, sweep
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit
from opsd.tasks.wal.room import Room
from opsd.web import AdminPages, MetricsPages, Server

log = logging.getLogger(__name__)

_PULSE = timedelta(seconds=5)
# What a running daemon is built on.
_FIXED = (
    "host", "state", "store", "store_passfile", "store_passfile_credential",
    "listen", "admin_listen", "web",
)  # fmt: skip


def run(config_path: Path, language: Language | None = None) -> int:
    """Run until a signal ends it; gives 0 then. Raises an `OpsdError` when it cannot begin."""
    manager = systemd.take()
    logs.begin()
    config = read(config_path)
    with ExitStack() as held:
        caught = held.enter_context(signals.caught())
        _hold(held, config)
        kit = assembly.assemble(config)
        held.callback(kit.store.close)
        sweep.sweep(kit)
        audit.configured(kit, config)
        daemon = Daemon(config_path, kit, manager, language)
        daemon.live(caught)
    return 0


def read(path: Path) -> Config:
    """The configuration, when it and the machine fit together. Raises `ConfigMistakes`."""
    config = load(path)
    ground.insist(config)
    return config


def _hold(held: ExitStack, config: Config) -> None:
    """Hold the state directory: one daemon works on it. Raises `Refused` when there is another."""
    try:
        store.make_place(config.state)  # or the lease would make it, for its owner alone
        held.enter_context(lock.lease(config.state / "daemon.lock", "opsd run"))
    except lock.Busy as busy:
        raise Refused("daemon.already_runs", path=config.state, holder=busy.holder) from busy
    except OSError as error:
        raise StorageFailed(
            "daemon.state_unusable", path=config.state, detail=str(error)
        ) from error


@dataclass(slots=True)
class Reading:
    """The configuration in use, and how the last attempt to read it again went."""

    config: Config
    at: datetime
    successful: bool = True


class Daemon:
    """The parts of a running daemon, and what it does between signals."""

    def __init__(
        self, path: Path, kit: Kit, manager: systemd.Manager, language: Language | None
    ) -> None:
        self._path = path
        self._kit = kit
        self._manager = manager
        self._language = language
        self._reading = Reading(kit.config, kit.clock())
        self._ready = False
        self._steps = Steps(kit.clock)
        pulse = min(_PULSE, manager.watchdog / 2) if manager.watchdog else _PULSE
        self._pulse = pulse
        board = Board()
        self._engine = app.engine(kit)
        self._nights = Nights(kit, lambda: self._reading.config, self._engine, board)
        self._timetable = Timetable(self._nights.work, kit.clock, pulse / 2)
        self._tower: Watchtower | None = None
        self._switchboard: Switchboard | None = None
        self._reception = Reception(kit, lambda: self._reading.config, self._arrived)
        self._wardens = Wardens(kit, self._take, self._elsewhere)
        self._tally = Tally()
        sources = Sources(
            config=lambda: self._reading.config,
            store=kit.store,
            alive=lambda run: lock.held(kit.run_lease(run.id)),
            board=board,
            vitals=self._vitals,
            watched=self._watched,
            reached=self._reception.reached,
            told=self._told,
            answered=self._answered,
            messages=lambda: self._tally.counts,
        )
        self._metrics = MetricsPages(Exposition(Collector(sources)), self._speaks)
        self._admin = AdminPages(
            self._illness, self._unreadiness, self._reload, self._speaks, self._reception.webhook
        )
        self._reloading = threading.Lock()

    def live(self, caught: signals.Signals) -> None:
        """Serve until an ending signal arrives, then end what is under way."""
        with self._tally.counting(), closing(self._reception), self._node(), self._ports():
            try:
                self._begin()
                self._wait(caught)
            finally:
                self._ready = False
                self._manager.stopping()
                self._kit.stop.request()
                self._timetable.end()
                self._wardens.close()
                self._leave_tower()
        log.info("ended")

    @contextmanager
    def _node(self) -> Iterator[None]:
        """Be one of those who share the work, until nothing is under way any more."""
        config = self._kit.config
        try:
            self._engine.begin(config.host, config.state, self._go_on_with)
            yield
        finally:
            self._engine.end()

    def _go_on_with(self, work: str) -> None:
        """Fire the set whose night another node did not bring to its end."""
        _, name, _ = work.split(":")
        self._timetable.fire(name)

    @contextmanager
    def _ports(self) -> Iterator[None]:
        """Listen, on one port for Prometheus and on one for whoever administers opsd."""
        config = self._kit.config
        client_ca = config.webhook.client_ca_file if config.webhook else None
        with ExitStack() as held:
            for name, address, pages, guard, clients in (
                ("metrics", config.listen, self._metrics, config.web.metrics, None),
                ("admin", config.admin_listen, self._admin, config.web.admin, client_ca),
            ):
                server = Server(address, pages, guard, clients)
                held.callback(server.close)
                told = {"port": name, "address": server.address}
                log.info("listening on %s for %s", server.address, name, extra=told)
            yield

    def _begin(self) -> None:
        config = self._reading.config
        owed = [name for name in config.backup_sets if self._nights.due(name)]
        self._timetable.adopt(config, owed)
        self._timetable.begin()
        self._man_tower()
        self._wardens.adopt(config)
        self._ready = True
        self._manager.ready(self._status())
        log.info("ready; %s", self._status())

    def _wait(self, caught: signals.Signals) -> None:
        while not (arrived := caught.wait(self._pulse)) & signals.ENDING:
            if signals.RELOAD in arrived:
                self._reload()
            self._keep_time()
            self._man_tower_again()
            if illness := self._illness():
                log.error("not well, the service manager is told nothing: %s", illness)
            else:
                self._manager.alive(self._status())
        log.info("ending on a signal")

    def _man_tower(self) -> None:
        """Watch, if this is the node that is to; what is known begins with the open incidents."""
        if self._engine.first and self._tower is None:
            tower = Watchtower(self._kit, lambda: self._reading.config)
            tower.begin()
            self._tower = tower
            self._switchboard = Switchboard(self._kit, lambda: self._reading.config)
        elif not self._engine.first:
            self._leave_tower()

    def _man_tower_again(self) -> None:
        """As often as it takes: a history that is away for a moment is no end of the watch."""
        try:
            self._man_tower()
        except StorageFailed as error:
            log.error("cannot begin to watch: %s", error)  # noqa: TRY400

    def _watched(self) -> Watched:
        tower = self._tower
        return tower.watched() if tower is not None else Watched()

    def _told(self) -> Told:
        switchboard = self._switchboard
        return switchboard.told() if switchboard is not None else Told()

    def _arrived(self) -> None:
        """Something new is in the history: whoever answers looks at once."""
        if (tower := self._tower) is not None:
            tower.responder.wake()

    def _answered(self) -> Answered | None:
        tower = self._tower
        return tower.responder.answered() if tower is not None else None

    def _take(self, answers: Answers) -> None:
        """Hand what wardens saw to the watch, if this is the node that watches."""
        tower = self._tower
        if tower is not None:
            tower.take(answers)

    def _elsewhere(self, place: Place) -> Room | None:
        """The room under a server of another machine, where that is watched."""
        tower = self._tower
        return tower.room(place) if tower is not None else None

    def _leave_tower(self) -> None:
        switchboard, self._switchboard = self._switchboard, None
        if switchboard is not None:
            switchboard.close()
        tower, self._tower = self._tower, None
        if tower is not None:
            tower.close()

    def _keep_time(self) -> None:
        """Plan everything anew where somebody set the wall clock."""
        if step := self._steps.by():
            told = {"seconds": step.total_seconds()}
            log.warning("the wall clock was set by %s", step, extra=told)
            self._timetable.plan_anew()
            if (tower := self._tower) is not None:
                tower.plan_anew()

    def _reload(self) -> str:
        """Read the configuration again; a wrong one changes nothing, and it is said what is wrong.

        By a signal or over the admin port: one at a time.
        """
        with self._reloading:
            if not self._ready:
                return "not ready"
            self._manager.reloading()
            wrong = self._read_again()
            self._manager.ready(self._status())
        return wrong

    def _read_again(self) -> str:
        try:
            config = read(self._path)
            _insist_fixed(self._reading.config, config)
        except OpsdError as error:
            self._reading.successful = False
            log.error("the configuration stays as it was: %s", error)  # noqa: TRY400
            return error.text(self._speaks())
        new = set(config.backup_sets) - set(self._reading.config.backup_sets)
        self._reading = Reading(config, self._kit.clock())
        audit.configured(self._kit, config)
        self._timetable.adopt(config, new)
        if self._tower is not None:
            self._tower.adopt()
        self._wardens.adopt(config)
        log.info("configuration read again; %s", self._status())
        return ""

    # --- what others ask

    def _illness(self) -> str:
        """What is wrong, empty when all is well: the scheduler ticks and the history answers.

        A history that others share is no part of this process: no restart brings it back.
        """
        if not self._timetable.ticking:
            return "the scheduler does not tick"
        return "" if self._engine.shared else self._silence()

    def _silence(self) -> str:
        """Why the history does not answer, empty when it does."""
        try:
            self._kit.store.run("")
        except OpsdError as error:
            return str(error)
        return ""

    def _unreadiness(self) -> str:
        return self._illness() or self._silence() if self._ready else "not ready"

    def _speaks(self) -> Language:
        return self._language or self._reading.config.language

    def _vitals(self) -> Vitals:
        return Vitals(
            last_tick=self._timetable.last_tick,
            next_runs=self._timetable.next_runs,
            reload_successful=self._reading.successful,
            reloaded_at=self._reading.at,
        )

    def _status(self) -> str:
        """What comes next, in one line."""
        planned = sorted((at, name) for name, at in self._timetable.next_runs.items())
        if not planned:
            return "nothing planned"
        at, name = planned[0]
        local = at.astimezone(self._reading.config.zone)
        return f"next: {name} {catalogue.moment(Language.EN, local)}"


def _insist_fixed(before: Config, now: Config) -> None:
    """Raise `ConfigError` when an option was changed that only a restart can change."""
    fixed = {option: (getattr(before, option), getattr(now, option)) for option in _FIXED}
    fixed["webhook"] = (_door(before), _door(now))
    for option, (old, new) in fixed.items():
        if old != new:
            raise ConfigError("daemon.needs_restart", option=option, before=old, now=new)


def _door(config: Config) -> object:
    """Who may hand in alerts; which of them open an incident may change."""
    webhook = config.webhook
    return webhook and (webhook.token, webhook.client_ca_file, webhook.max_body)
