"""What is asked of hosts, how often, and where worry begins: one group of options a check."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.options import Options, Truth
from opsd.config.units import PositiveDuration

Times = Annotated[int, Field(strict=True, ge=1, le=100)]


class CheckOptions(Options):
    """What every check has."""

    enabled: Truth = True
    """Whether it is asked at all."""

    interval: PositiveDuration = timedelta(seconds=15)
    """How often it is asked."""

    confirm: Times = 2
    """Answers in a row that are worse before its status is worse."""

    recover: Times = 2
    """Answers in a row that are better before its status is better."""


class LoadOptions(CheckOptions):
    """`load`: processes that want to run, for each processor."""

    warning: Annotated[float, Field(gt=0)] = 2.0
    """Five-minute load for each processor from which it is a warning."""

    critical: Annotated[float, Field(gt=0)] = 5.0
    """The same, from which it is critical."""


class Checks(Options):
    """The options of every check."""

    load: LoadOptions = LoadOptions()
    """Processes that want to run, for each processor."""

    def options(self, check: str) -> CheckOptions:
        """The options of the check of this name."""
        found = getattr(self, check)
        assert isinstance(found, CheckOptions)  # noqa: S101  (a test closes the names)
        return found

    def over(self, site: Checks) -> Checks:
        """What is written here, and for all else what is written for the whole site."""
        own = {name: getattr(self, name) for name in self.model_fields_set}
        merged = {
            name: site.options(name).model_copy(
                update={option: getattr(group, option) for option in group.model_fields_set}
            )
            for name, group in own.items()
        }
        return site.model_copy(update=merged)
