"""`python -m opsd` is `opsd`."""

import sys

from opsd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
