"""A configuration becomes a kit that tasks can work with.

What a command by hand needs, and no more: `app` knows everybody, and takes half a second to load.
"""

from __future__ import annotations

from opsd import clock as wall
from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.drivers import system
from opsd.drivers.process import Stop
from opsd.errors import Refused
from opsd.store import Place, Server, Store
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
