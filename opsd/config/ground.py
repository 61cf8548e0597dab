"""What the machine says about a configuration: secrets that lie open, copies beside their source.

A source that is missing is no mistake of the configuration; the preflight of a backup finds it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from opsd.config import web_ground
from opsd.config.mistakes import ConfigMistakes, Finding, Mistake
from opsd.config.probes import PostgresProbe, WalkProbe
from opsd.config.schema import Config, FilesMember, Location
from opsd.config.secret import Secret
from opsd.errors import ConfigError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ENOUGH: Final = 4096


def examine(config: Config) -> tuple[Mistake, ...]:
    """What is wrong with the files and directories that a configuration names."""
    findings = (
        *_secrets(config),
        *web_ground.examine(config),
        *_neighbours(config),
        *_own_directories(config),
    )
    return tuple(finding.at(config.origin.place(finding.location)) for finding in findings)


def insist(config: Config) -> None:
    """Raise `ConfigMistakes` when `examine` finds any."""
    if mistakes := examine(config):
        raise ConfigMistakes(config.origin.file, mistakes)


def _secrets(config: Config) -> Iterator[Finding]:
    for location, secret in _named_secrets(config):
        if finding := _secret(location, secret):
            yield finding


def _named_secrets(config: Config) -> Iterator[tuple[Location, Secret]]:
    """Every secret, with the option that names it."""
    if stored := config.store_passwords:
        yield ("store_passfile" if stored.file else "store_passfile_credential",), stored
    for name, repository in config.repositories.items():
        here: Location = ("repositories", name)
        for options, secret in (
            (("password_file", "password_credential"), repository.password),
            (("s3_credentials_file", "s3_credentials_credential"), repository.s3_credentials),
        ):
            if secret:
                yield (*here, options[secret.file is None]), secret
    for name, backup_set in config.backup_sets.items():
        for member, dumped in backup_set.dumped.items():
            if secret := dumped.passwords:
                option = "passfile" if secret.file else "passfile_credential"
                yield ("backup_sets", name, "members", member, option), secret
        for member, database in backup_set.logged.items():
            if database.wal and (secret := database.wal.passwords):
                option = "passfile" if secret.file else "passfile_credential"
                yield ("backup_sets", name, "members", member, "wal", option), secret
    yield from _secrets_of_hosts(config)
    yield from _secrets_of_probes(config)
    yield from web_ground.named_secrets(config)
    yield from _secrets_of_people(config)


def _secrets_of_hosts(config: Config) -> Iterator[tuple[Location, Secret]]:
    for name, host in config.hosts.items():
        if key := host.key:
            yield ("hosts", name, "key_file" if key.file else "key_credential"), key


def _secrets_of_people(config: Config) -> Iterator[tuple[Location, Secret]]:
    """Those that show who we are to whoever reaches people."""
    for name, heartbeat in config.heartbeats.items():
        option = "url_file" if heartbeat.url_file else "url_credential"
        yield ("heartbeats", name, option), heartbeat.url
    for name, channel in config.channels.items():
        if found := channel.password:
            yield (
                ("channels", name, "password_file" if found.file else "password_credential"),
                found,
            )


def _secrets_of_probes(config: Config) -> Iterator[tuple[Location, Secret]]:
    for name, probe in config.probes.items():
        here: Location = ("probes", name)
        if isinstance(probe, PostgresProbe) and (found := probe.passwords):
            yield (*here, "passfile" if found.file else "passfile_credential"), found
        if isinstance(probe, WalkProbe):
            for index, step in enumerate(probe.steps):
                for key, file in step.secret_form.items():
                    yield (*here, "steps", index, "secret_form", key), Secret(file)


def _secret(location: Location, secret: Secret) -> Finding | None:
    """What is wrong with a secret. Who may read a credential is systemd's to decide."""
    try:
        path = secret.path()
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            return Finding(location, "config.secret_no_file", {"path": path})
        if secret.file is not None and state.st_mode & _OTHERS:
            fields = {"path": path, "mode": f"{stat.S_IMODE(state.st_mode):04o}"}
            return Finding(location, "config.secret_open", fields)
        with path.open("rb") as file:
            empty = not file.read(_ENOUGH).strip()
    except ConfigError as error:
        return Finding(location, error.key, error.fields)
    except FileNotFoundError:
        return Finding(location, "config.secret_missing", {"path": secret.file})
    except OSError:
        return Finding(location, "config.secret_forbidden", {"path": secret.file})
    return Finding(location, "config.secret_empty", {"path": path}) if empty else None


def _neighbours(config: Config) -> Iterator[Finding]:
    """Local repositories on the device of a tree that they keep (R17)."""
    if config.demo:
        return
    for name, backup_set in config.backup_sets.items():
        repository = config.repositories[backup_set.repository].path
        for member, tree in backup_set.trees.items():
            if repository and same_device(tree.path, repository):
                location = ("repositories", backup_set.repository, "url")
                fields = {"path": tree.path, "set": name, "member": member}
                yield Finding(location, "config.same_device", fields)


def same_device(source: Path, repository: Path) -> bool:
    """Whether a broken disk would lose both; a source that cannot be seen is on none."""
    device = _device(source)
    return device is not None and device == _future_device(repository)


def _own_directories(config: Config) -> Iterator[Finding]:
    """Directories of opsd's own inside a tree: they would be backed up into themselves."""
    own: list[tuple[Location, Path]] = [
        (("state",), config.state),
        (("scratch",), config.scratch),
        (("cache",), config.cache),
    ]
    own += [
        (("repositories", name, "url"), repository.path)
        for name, repository in config.repositories.items()
        if repository.path is not None
    ]
    own += _receivers(config)
    trees = [
        (name, member, tree)
        for name, backup_set in config.backup_sets.items()
        for member, tree in backup_set.trees.items()
    ]
    for location, path in own:
        for name, member, tree in trees:
            if _is_taken(path, tree):
                fields = {"path": tree.path, "set": name, "member": member}
                yield Finding(location, "config.inside_source", fields)


def _receivers(config: Config) -> list[tuple[Location, Path]]:
    """Where the log of databases is received."""
    binlogs: list[tuple[Location, Path]] = [
        (("backup_sets", name, "members", member, "binlog", "directory"), found.binlog.directory)
        for name, backup_set in config.backup_sets.items()
        for member, found in backup_set.streamed.items()
        if found.binlog is not None
    ]
    return binlogs + [
        (("backup_sets", name, "members", member, "wal", "receivers", place, "directory"), at)
        for name, backup_set in config.backup_sets.items()
        for member, database in backup_set.logged.items()
        for place, receiver in (database.wal.receivers.items() if database.wal else ())
        if (at := receiver.directory) is not None
    ]


def _is_taken(path: Path, tree: FilesMember) -> bool:
    """Whether a backup of the tree would take the path."""
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(tree.path))
    left_out = (root / excluded for excluded in tree.exclude)
    return real.is_relative_to(root) and not any(real.is_relative_to(one) for one in left_out)


def _device(path: Path) -> int | None:
    """The device of a path; nothing when it is not there or may not be seen."""
    try:
        return path.stat().st_dev
    except OSError:
        return None


def _future_device(path: Path) -> int | None:
    """The device that a path lies on, or will lie on once it is made."""
    found = (_device(one) for one in (path, *path.parents))
    return next((device for device in found if device is not None), None)
