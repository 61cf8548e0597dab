"""What no option can tell by itself: names that must exist, and options that exclude each other.

These checks read the values as they were written, so that they speak even when other parts of the
file are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opsd.config import (
    oncall,
    playbook_references,
    probe_references,
    wal_references,
    web_references,
)
from opsd.config.mistakes import Finding
from opsd.config.schema import Location
from opsd.config.wrong import nearest

Group = Mapping[Any, Any]

# What opsd itself calls parts of a run: a member of that name would be taken for them.
# The kinds of members that answer SQL.
_ANSWERING = ("postgres", "mariadb")
RESERVED = frozenset({"record", "proof-record"})


def check(values: object) -> Iterator[Finding]:
    """What does not fit together in the values of a file."""
    repositories = _group(values, "repositories")
    for name, repository in repositories.items():
        yield from _repository(_group(repository), ("repositories", name))
    for name, backup_set in _group(values, "backup_sets").items():
        location = ("backup_sets", name)
        yield from _named(backup_set, "repository", location, repositories)
        yield from _members(_group(backup_set, "members"), (*location, "members"))
        yield from _logs(_group(backup_set), location, repositories)
        yield from _prove(_group(backup_set), location)
    passwords = ("store_passfile", "store_passfile_credential")
    yield from _one_of(_group(values), (), passwords, needed=False)
    yield from web_references.check(_group(values))
    yield from probe_references.check(_group(values, "probes"), _group(values, "hosts"))
    yield from (Finding(*found) for found in oncall.check(_group(values)))
    for name, heartbeat in _group(values, "heartbeats").items():
        options = ("url_file", "url_credential")
        yield from _one_of(_group(heartbeat), ("heartbeats", name), options, needed=True)
        sets = _group(values, "backup_sets")
        yield from _named(heartbeat, "backup_set", ("heartbeats", name), sets)
    for name, channel in _group(values, "channels").items():
        options = ("password_file", "password_credential")
        yield from _one_of(_group(channel), ("channels", name), options, needed=False)
        yield from web_references.in_clear(_group(channel), ("channels", name))
    yield from playbook_references.check(_group(values))
    hosts = _group(values, "hosts")
    for name, host in hosts.items():
        yield from _named(host, "depends_on", ("hosts", name), hosts)
        yield from _host(_group(host), ("hosts", name))


def _host(host: Group, location: Location) -> Iterator[Finding]:
    """A host with an address is reached with a key, and known by its own."""
    remote = host.get("address") is not None
    yield from _one_of(host, location, ("key_file", "key_credential"), needed=remote)
    if remote and host.get("known_hosts") is None:
        yield Finding(location, "config.no_known_hosts")


def _repository(repository: Group, location: Location) -> Iterator[Finding]:
    if not repository:
        return
    yield from _one_of(repository, location, ("password_file", "password_credential"), needed=True)
    credentials = ("s3_credentials_file", "s3_credentials_credential")
    yield from _one_of(repository, location, credentials, needed=False)
    url = repository.get("url")
    if isinstance(url, str) and not url.startswith("s3:"):
        for option in credentials:
            if repository.get(option) is not None:
                yield Finding((*location, option), "config.only_s3", of_name=True)


def _members(members: Group, location: Location) -> Iterator[Finding]:
    for name, member in members.items():
        if name in RESERVED:
            yield Finding((*location, name), "config.reserved", {"name": name}, of_name=True)
        options = ("passfile", "passfile_credential")
        yield from _one_of(_group(member), (*location, name), options, needed=False)
        if _group(member).get("kind") == "mariadb":
            yield from _one_of(_group(member), (*location, name), ("socket", "host"), needed=True)


def _logs(backup_set: Group, location: Location, repositories: Group) -> Iterator[Finding]:
    for name, member in _group(backup_set, "members").items():
        wal, here = _group(member, "wal"), (*location, "members", name, "wal")
        yield from _one_of(wal, here, ("passfile", "passfile_credential"), needed=False)
        yield from wal_references.check(wal, here, backup_set.get("repository"), repositories)
        binlog, here = _group(member, "binlog"), (*location, "members", name, "binlog")
        if binlog:
            yield from wal_references.kept(binlog, here, backup_set.get("repository"), repositories)


def _prove(backup_set: Group, location: Location) -> Iterator[Finding]:
    members = _group(backup_set, "members")
    databases, trees = _of_kind(members, *_ANSWERING), _of_kind(members, "files")
    proof = _group(backup_set, "prove")
    names: set[object] = set()
    for index, invariant in enumerate(_list(proof, "invariants")):
        here = (*location, "prove", "invariants", index)
        yield from _member(invariant, "member", here, members, databases)
        name = _group(invariant).get("name")
        if isinstance(name, str) and name in names:
            yield Finding((*here, "name"), "config.name_twice", {"name": name})
        names.add(name if isinstance(name, str) else None)
    for index, reconciliation in enumerate(_list(proof, "reconcile")):
        here = (*location, "prove", "reconcile", index)
        yield from _member(reconciliation, "database", here, members, databases)
        yield from _member(reconciliation, "files", here, members, trees)


def _member(
    group: object, option: str, location: Location, members: Group, fitting: set[str]
) -> Iterator[Finding]:
    """Says when an option names no member, or one of the wrong kind."""
    name = _group(group).get(option)
    if not isinstance(name, str) or not members:
        return
    known_kinds = {"postgres", "mariadb", "command", "files"}
    if name not in members:
        yield from _named(group, option, location, fitting)
    elif name not in fitting and _group(members[name]).get("kind") in known_kinds:
        wanted = "files" if option == "files" else " / ".join(_ANSWERING)
        yield Finding((*location, option), "config.member_kind", {"name": name, "kind": wanted})


def _named(
    group: object, option: str, location: Location, known: Iterable[object]
) -> Iterator[Finding]:
    name = _group(group).get(option)
    words = sorted(one for one in known if isinstance(one, str))
    if not isinstance(name, str) or name in words or not words:
        return
    fields = {"name": name, "known": ", ".join(words)}
    close = nearest(name, words)
    yield Finding(
        (*location, option),
        "config.no_such_name",
        {**fields, **({"close": close} if close else {})},
    )


def _one_of(
    group: Group, location: Location, options: tuple[str, str], *, needed: bool
) -> Iterator[Finding]:
    given = [option for option in options if group.get(option) is not None]
    fields = {"one": options[0], "other": options[1]}
    if len(given) > 1:
        yield Finding((*location, given[1]), "config.both", fields, of_name=True)
    elif needed and not given:
        yield Finding(location, "config.neither", fields)


def _of_kind(members: Group, *kinds: str) -> set[str]:
    return {name for name, member in members.items() if _group(member).get("kind") in kinds}


def _group(values: object, option: str | None = None) -> Group:
    """A group of options, or of one of its groups; an empty one when it is something else."""
    found = values.get(option) if option is not None and isinstance(values, Mapping) else values
    return found if isinstance(found, Mapping) else {}


def _list(values: Group, option: str) -> list[object]:
    found = values.get(option)
    return found if isinstance(found, list) else []
