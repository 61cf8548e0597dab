"""What no option about the log can tell by itself: names that must exist, places used twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsd.config.mistakes import Finding
from opsd.config.schema import Location

_PLACES = ("directory", "slot", "application_name")


def check(
    wal: Mapping[Any, Any],
    location: Location,
    set_repository: object,
    repositories: Mapping[Any, Any],
) -> Iterator[Finding]:
    """What does not fit together in a group `wal`."""
    yield from kept(wal, location, set_repository, repositories)
    receivers = wal.get("receivers")
    if not isinstance(receivers, Mapping):
        return
    count = wal.get("wait_for")
    if isinstance(count, int) and count > len(receivers) > 0:
        yield Finding((*location, "wait_for"), "config.wal_too_few", {"count": len(receivers)})
    seen: dict[tuple[str, object], str] = {}
    for name, receiver in receivers.items():
        for option in _PLACES:
            found = receiver.get(option) if isinstance(receiver, Mapping) else None
            if found is None:
                continue
            here = (*location, "receivers", name, option)
            if (option, found) in seen:
                yield Finding(here, "config.wal_twice", {"other": seen[option, found]})
            seen[option, found] = name


def kept(
    wal: Mapping[Any, Any],
    location: Location,
    set_repository: object,
    repositories: Mapping[Any, Any],
) -> Iterator[Finding]:
    """The log goes only where opsd itself can put objects: directories and buckets."""
    named = wal.get("repositories")
    wanted = named if isinstance(named, list) and named else [set_repository]
    for index, name in enumerate(wanted):
        here = (*location, "repositories", index) if wanted is named else location
        if not isinstance(name, str):
            continue
        if name not in repositories:
            if wanted is named:
                fields = {"name": name, "known": ", ".join(sorted(map(str, repositories)))}
                yield Finding(here, "config.no_such_name", fields)
            continue
        repository = repositories[name]
        url = repository.get("url") if isinstance(repository, Mapping) else None
        if isinstance(url, str) and not url.startswith(("/", "s3:")):
            yield Finding(here, "config.wal_storage", {"name": name})
