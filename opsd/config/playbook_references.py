"""Names in the options of playbooks that must exist: hosts, probes, repositories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opsd.config.mistakes import Finding
from opsd.config.schema import Location
from opsd.config.wrong import nearest

Group = Mapping[Any, Any]

# Playbook -> the group whose names are those of something else, and of what.
_NAMED_AFTER: Final = {
    "database_down": ("services", "probes"),
    "replication_stuck": ("services", "probes"),
    "web_down": ("services", "probes"),
    "upstream_down": ("partners", "probes"),
    "link_down": ("switches", "probes"),
    "certificate_expiring": ("renewals", "probes"),
    "host_unreachable": ("power", "hosts"),
    "repository_full": ("places", "repositories"),
}
_HOSTS: Final = ("host", "via")
_LISTS: Final = ("hosts", "never", "evidence")


def check(values: Group) -> Iterator[Finding]:
    """Every name in `playbooks` that names nothing."""
    hosts = _words(values.get("hosts"))
    for playbook, options in _group(values.get("playbooks")).items():
        here: Location = ("playbooks", playbook)
        for option in _LISTS:
            found = _group(options).get(option)
            for index, name in enumerate(found if isinstance(found, list) else ()):
                yield from _known(name, hosts, (*here, option, index))
        group, kind = _NAMED_AFTER.get(playbook, ("", ""))
        for name, one in _group(_group(options).get(group)).items():
            place = (*here, group, name)
            yield from _known(name, _words(values.get(kind)), place, of_name=True)
            for option in _HOSTS:
                yield from _known(_group(one).get(option), hosts, (*place, option))


def _known(
    name: object, words: list[str], here: Location, *, of_name: bool = False
) -> Iterator[Finding]:
    if not isinstance(name, str) or name in words:
        return
    close = nearest(name, words)
    fields = {"name": name, "known": ", ".join(words) or "-"}
    told = {**fields, **({"close": close} if close else {})}
    yield Finding(here, "config.no_such_name", told, of_name)


def _words(values: object) -> list[str]:
    return sorted(name for name in _group(values) if isinstance(name, str))


def _group(values: object) -> Group:
    return values if isinstance(values, Mapping) else {}
