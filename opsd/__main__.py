"""`python -m opsd` is the same as the command `opsd`."""

from opsd.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
