"""Where people are reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsd.config.schema import Config
from opsd.people import Address
from opsd.policy import duty


def steps(config: Config, now: datetime) -> Sequence[Sequence[Address]]:
    """Who is called one after the other; everybody at once where there is no rota, or a hole."""
    if config.oncall is not None:
        local = now.astimezone(config.zone)
        called = [of_people(config, step) for step in duty.called(config.oncall.rota, local)]
        if called := [step for step in called if step]:
            return called
    everybody = anybody(config)
    return (everybody,) if everybody else ()


def anybody(config: Config) -> Sequence[Address]:
    """Those who stand in the channels themselves."""
    return tuple(
        Address(name, to) for name, channel in config.channels.items() for to in channel.to
    )


def of_people(config: Config, people: Sequence[str]) -> Sequence[Address]:
    """The addresses of people, in the order of the channels."""
    assert config.oncall is not None  # noqa: S101  (who is called stands in the rota)
    return tuple(
        Address(channel, config.oncall.people[person].reach[channel], person)
        for person in people
        for channel in config.channels
        if channel in config.oncall.people[person].reach
    )
