"""`python -m opsd.daemon CONFIG`: the daemon without the command line around it."""

from __future__ import annotations

import sys
from pathlib import Path

from opsd.daemon.service import run
from opsd.errors import OpsdError

if __name__ == "__main__":
    try:
        sys.exit(run(Path(sys.argv[1])))
    except OpsdError as error:
        sys.exit(f"opsd: {error}")
