"""The audit chain: what is told in it of the configuration, and whether it is whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from opsd.config.schema import Config
from opsd.drivers import system
from opsd.drivers.restic import Snapshot
from opsd.errors import OpsdError
from opsd.keeping import Head
from opsd.model import Finding, Severity
from opsd.policy import chain
from opsd.policy.chain import Breach
from opsd.tasks.kit import RECORD, TAG, Kit, tagged

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verified:
    """How long the chain is, where it first breaks, and which repositories could not be asked."""

    lines: int
    breach: Breach | None
    unseen: tuple[Finding, ...] = ()


def configured(kit: Kit, config: Config) -> None:
    """Tell the configuration that is in use from now on, by its digest, when it is a new one."""
    digest = sha256(config.model_dump_json().encode()).hexdigest()
    last = kit.store.last_told("config")
    if last is None or last.body.get("digest") != digest:
        told = {"digest": digest, "file": config.origin.file}
        kit.store.tell(kit.clock(), "config", system.user(), told)


def verify(kit: Kit, names: Iterable[str]) -> Verified:
    """Recompute the chain, and compare it with what the recovery points of these sets noted."""
    lines = kit.store.lines()
    heads: list[tuple[str, Head]] = []
    unseen: list[Finding] = []
    for name in names:
        repository = kit.backup_set(name).repository
        try:
            kit.reach(repository)
            snapshots = kit.restic(repository).snapshots(TAG, f"set:{name}", f"part:{RECORD}")
            heads += heads_of(snapshots)
        except OpsdError as error:
            unseen.append(error.finding(Severity.FAULT))
    breach = chain.breach(lines) or chain.cut(lines, heads)
    if breach is not None:
        log.error("the audit chain is not what was written: %s %s", breach.key, breach.fields)
    elif not unseen:
        kit.store.add_verified(kit.clock(), len(lines))
    return Verified(len(lines), breach, tuple(unseen))


def heads_of(snapshots: Sequence[Snapshot]) -> Iterator[tuple[str, Head]]:
    """What the records of recovery points noted of the chain, each with its point."""
    for snapshot in snapshots:
        number, _, digest = tagged(snapshot.tags, "audit").partition(":")
        if number.isdecimal():
            yield tagged(snapshot.tags, "run"), Head(int(number), digest)
