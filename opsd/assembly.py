"""A configuration becomes a kit that tasks can work with, and what else is kept is opened.

What a command by hand needs, and no more: `app` knows everybody, and takes half a second to load.
"""

from __future__ import annotations

from opsd import clock as wall
from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.drivers import system
from opsd.drivers.process import Stop
from opsd.errors import Refused
from opsd.store import Alerts, Cases, Notices, Place, Responses, Server, Store, Watch
from opsd.tasks.kit import Kit, Nobody, Watcher

STORE = "opsd.sqlite"
WATCH = "watch.sqlite"


def assemble(
    config: Config,
    *,
    clock: Clock = wall.now,
    stop: Stop | None = None,
    watcher: Watcher | None = None,
) -> Kit:
    """Everything a task works with. The caller closes `kit.store`.

    Raises `Refused` where root would leave files that the owner of the state cannot open.
    """
    owner = system.other_owner(config.state)
    if owner is not None:
        raise Refused("state.foreign", state=config.state, owner=owner)
    return Kit(
        config=config,
        store=Store(history(config)),
        clock=clock,
        stop=stop or Stop(),
        watcher=watcher or Nobody(),
    )


def history(config: Config) -> Place:
    """Where the history lies."""
    if config.store is None:
        return config.state / STORE
    passwords = config.store_passwords
    return Server(config.store, passwords.path() if passwords else None)


def cases(config: Config) -> Cases:
    """Flips, incidents and maintenance. The caller closes it."""
    return Cases(history(config))


def alerts(config: Config) -> Alerts:
    """What came in from Alertmanager, beside all of that. The caller closes it."""
    return Alerts(history(config))


def notices(config: Config) -> Notices:
    """What people are told and said of incidents, beside all of that. The caller closes it."""
    return Notices(history(config))


def responses(config: Config) -> Responses:
    """How incidents were answered. The caller closes it."""
    return Responses(history(config))


def samples(config: Config) -> Watch:
    """What is watched now. The caller closes it."""
    return Watch(config.state / WATCH)
