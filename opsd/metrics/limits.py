"""Where worry begins: the limits of the checks of hosts, as they are configured.

Of the whole site under no host, and under a host where that one differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opsd.catalogue import Size
from opsd.config.check import CheckOptions
from opsd.config.checks import Checks
from opsd.config.schema import Config
from opsd.metrics.table import Page

_OF_THE_ROUNDS = frozenset(CheckOptions.model_fields)  # how often it is asked: no limits


def tell(page: Page, config: Config) -> None:
    """Add every limit that is a number, a size or a span of time, where any host is watched."""
    if not config.hosts:
        return
    site = config.checks
    for check in Checks.model_fields:
        options = site.options(check)
        _tell(page, "", check, options, set(type(options).model_fields))
    for name, host in config.hosts.items():
        for check in host.checks.model_fields_set:
            own = host.checks.options(check)
            _tell(page, name, check, own, own.model_fields_set)


def _tell(page: Page, host: str, check: str, options: CheckOptions, names: set[str]) -> None:
    for option, value, unit in _numbers(options, names - _OF_THE_ROUNDS):
        page.add(f"opsd_check_limit{unit}", value, host, check, option)


def _numbers(options: CheckOptions, names: set[str]) -> Iterator[tuple[str, float, str]]:
    for name in sorted(names):
        match getattr(options, name):
            case timedelta() as span:
                yield name, span.total_seconds(), "_seconds"
            case Size() as size:
                yield name, size, "_bytes"
            case bool():
                continue
            case int() | float() as number:
                yield name, number, ""
