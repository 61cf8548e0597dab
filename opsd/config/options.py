"""What every group of options has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Truth = Annotated[bool, Field(strict=True)]


class Options(BaseModel):
    """A group of options: closed, unchangeable, and silent about the values it refuses."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,
    )
