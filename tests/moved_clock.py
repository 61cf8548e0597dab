"""opsd with a wall clock that a test moves: `python -m tests.moved_clock FILE ARGUMENTS...`.

The file says by how many seconds. Only the doors to the wall clock are changed, which are opsd's
own and that of its scheduler; the steady clock is the kernel's.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, tzinfo
from pathlib import Path

from apscheduler.schedulers import base

from opsd import clock
from opsd.cli.main import main

_FILE = Path(sys.argv[1])


class Moved(datetime):
    """The wall clock of this process."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Moved:
        """The moment, as this machine would have it had somebody set its clock."""
        return cls.fromtimestamp(time.time() + float(_FILE.read_text()), tz)


if __name__ == "__main__":
    clock.datetime = base.datetime = Moved  # type: ignore[attr-defined]
    sys.exit(main(sys.argv[2:]))
