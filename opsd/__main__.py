"""The console script, `opsd` and `python -m opsd`: how the process begins and ends.

Modules, and all that they hold, live as long as the process. Python's collector is kept from
looking for garbage among them: that took a quarter of a command's start and end.
"""

import gc
import sys

gc.disable()

from opsd.cli.main import main  # noqa: E402  (the collector is off by now)


def run() -> int:
    """Run the command line that the process was started with, and give its exit code."""
    gc.freeze()
    gc.enable()
    try:
        return main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(run())
