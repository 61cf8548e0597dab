"""Night after night without a pause, as the daemon does them: `python -m tests.faults.forever`.

A slot is due every few seconds instead of every day; everything else is the daemon's own.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta, tzinfo
from datetime import time as time_of_day
from pathlib import Path

from opsd import app, assembly
from opsd.config.load import load
from opsd.daemon.nights import Nights
from opsd.metrics import Board
from opsd.policy import slots
from tests.site import SET

EVERY = timedelta(seconds=7)


def newest_due(now: datetime, at: time_of_day, zone: tzinfo) -> datetime:
    """In the place of the daily one."""
    del at, zone
    return now - timedelta(seconds=now.timestamp() % EVERY.total_seconds())


def main() -> None:
    """Until somebody kills it."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    slots.newest_due = newest_due
    config = load(Path(sys.argv[1]))
    kit = assembly.assemble(config)
    engine = app.engine(kit)
    with closing(kit.store):
        engine.begin(config.host, config.state, lambda _: None)
        nights = Nights(kit, lambda: config, engine, Board())
        print("ready", flush=True)
        while True:
            nights.work(SET)
            time.sleep(0.05)


if __name__ == "__main__":
    main()
