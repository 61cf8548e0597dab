"""What the options of every check have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.options import Options, Truth
from opsd.config.units import PositiveDuration

Times = Annotated[int, Field(strict=True, ge=1, le=100)]
Positive = Annotated[float, Field(strict=True, gt=0)]
Part = Annotated[float, Field(strict=True, gt=0, le=1)]


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


class EachMinute(CheckOptions):
    """A check of what changes slowly, or is dear to ask."""

    interval: PositiveDuration = timedelta(minutes=1)
    """How often it is asked."""
