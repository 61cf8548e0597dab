"""The checks that opsd knows.

The key is the name in the configuration, on the command line and in metrics. A check is one file
here, one line in this table, and its options in `opsd.config.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from checks.load import Load
from opsd.check import Check

CHECKS: Final[Mapping[str, Callable[[Any], Check]]] = {
    "load": Load,
}
