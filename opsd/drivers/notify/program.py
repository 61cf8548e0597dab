"""A program that is given the text: of an SMS modem, say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from opsd.drivers import process
from opsd.errors import ChannelFailed, TimedOut, ToolFailed

_TO = "{to}"


def send(argv: Sequence[str], to: str, text: str, timeout: timedelta) -> None:
    """Run it for one address, the text on its standard input. Raises `ChannelFailed`."""
    filled = tuple(part.replace(_TO, to) for part in argv)
    command = process.Command(filled, timeout, stdin=f"{text}\n".encode())
    try:
        done = process.run(command)
    except TimedOut as error:
        raise ChannelFailed("notify.program", reason="timeout", program=argv[0]) from error
    except ToolFailed as error:
        raise ChannelFailed(
            "notify.program", reason="program", program=argv[0], detail=error.detail
        ) from error
    if done.exit_code != 0:
        detail = f"{done.exit_code} {done.complaint[:160]}"
        raise ChannelFailed("notify.program", reason="refused", program=argv[0], detail=detail)
