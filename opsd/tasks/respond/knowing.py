"""What opsd knows of backups and of the ways to things, as playbooks recall it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from opsd import catalogue
from opsd.catalogue import Size
from opsd.config.probes import target
from opsd.drivers import system
from opsd.drivers.net.connection import Place, connect
from opsd.drivers.net.ping import Volley, ping
from opsd.drivers.net.tracing import Blind, Broke, Deadline, Tracer
from opsd.keeping import Cause as Freezing
from opsd.model import Closing, Finding, Task
from opsd.policy.freshness import LastRun
from opsd.policy.standing import Standing
from opsd.tasks import keeping, locks, status
from opsd.tasks.check.around import look_around
from opsd.tasks.kit import Kit
from opsd.tasks.respond.means import Means
from opsd.trace import Cause, Trace

_PATIENCE = timedelta(seconds=3)
_SAID = 6


# --- backups


def last_runs(means: Means, backup_set: str) -> Mapping[str, object]:
    """How the last backup and the last proof of a set ended; empty where there is no such set."""
    found = means.kit.config.backup_sets.get(backup_set)
    if found is None:
        return {}
    backup = status.last_over(means.kit, Task.BACKUP, backup_set)
    proof = status.last_over(means.kit, Task.PROVE, backup_set)
    alive, _ = status.unclosed(means.kit)
    under_way = [run.id for run in alive if run.repository == found.repository]
    return {
        "reason": _reason(backup),
        "outcome": backup.outcome.value if backup else "",
        "proof_reason": _reason(proof),
        "proof_outcome": proof.outcome.value if proof else "",
        "under_way": under_way[0] if under_way else "",
        "repository": found.repository,
        "told": "\n".join((*_told("backup", backup), *_told("prove", proof))),
    }


def _reason(last: LastRun | None) -> str:
    if last is None or last.outcome.good:
        return ""
    return last.closing.reason if last.closing else "interrupted"


def _told(task: str, last: LastRun | None) -> Iterator[str]:
    """What a run said, for people, in both languages."""
    if last is None:
        return
    yield f"{task} {last.run.id}: {last.outcome} {_reason(last)}".strip()
    closing: Closing | None = last.closing
    for one in closing.findings[:_SAID] if closing else ():
        yield from (f"  {text}" for text in both(one))


def both(found: Finding) -> tuple[str, ...]:
    """A finding, once in each language."""
    return tuple(
        catalogue.sentence(language, found.key, found.fields, found.detail)
        for language in catalogue.Language
    )


def room(means: Means, backup_set: str) -> str:
    """How much is free where the repository of a set lies, where opsd can see that."""
    found = means.kit.config.backup_sets.get(backup_set)
    path = means.kit.config.repositories[found.repository].path if found else None
    if path is None or not path.exists():
        return ""
    seen = system.space(path)
    return f"{path}: {catalogue.say(catalogue.Language.EN, 'playbook.free', free=Size(seen.free))}"


def locks_of(means: Means, backup_set: str) -> tuple[Mapping[str, object], ...]:
    """The locks in the repository of a set, and whether their owners live."""
    repository = means.kit.backup_set(backup_set).repository
    now = means.now
    return tuple(
        {
            "id": lock.id,
            "owner": f"{lock.user}@{lock.host}",
            "whose": whose.value,
            "told": f"{lock.id[:8]}  {lock.user}@{lock.host} pid {lock.pid}  {now - lock.at}"
            f"  {'exclusive' if lock.exclusive else 'shared'}  {whose.value}",
        }
        for lock, whose in locks.owners(means.kit, repository)
    )


def dropping(means: Means, backup_set: str) -> tuple[Mapping[str, object], ...]:
    """What retention would drop of each set, or of the one that is named, and what forbids it."""
    names = means.kit.config.backup_sets
    return tuple(_dropping(means, name) for name in names if backup_set in {"", name})


def _dropping(means: Means, name: str) -> Mapping[str, object]:
    made = keeping.plan(means.kit, name)
    goes = [fate.standing.point for fate in made.fates if not fate.kept]
    configured = means.kit.backup_set(name).retention is not None
    against = "" if configured else "retention is not configured"
    against = str(made.refusal) if made.refusal else against
    causes = {one.cause.value for one in made.freezes} | {o.cause.value for o in made.obstacles}
    against = ", ".join(sorted(causes)) or against
    rows = [
        f"{name}: {len(made.fates)} points, {len(goes)} would go",
        *(one.id for one in goes[:50]),
    ]
    return {"set": name, "goes": len(goes), "against": against, "told": "\n".join(rows)}


def points(means: Means, backup_set: str) -> tuple[Mapping[str, object], ...]:
    """The points of a set, newest first, and which are proved and older than all that is odd."""
    if backup_set not in means.kit.config.backup_sets:
        return ()
    found = status.standings(means.kit, backup_set)
    odd = _odd(means.kit, backup_set)
    first = min(odd.values(), default=means.now)
    return tuple(
        {
            "id": one.point.id,
            "at": one.point.at,
            "complete": one.point.complete,
            "proved": one.proved_at is not None,
            "calm": one.proved_at is not None and one.point.at < first,
            "members": tuple(member.member for member in one.point.members),
            "told": _point(one, "unusual" if one.point.id in odd else ""),
        }
        for one in found
    )


def _odd(kit: Kit, backup_set: str) -> Mapping[str, datetime]:
    """The points that the tripwire found unusual and nobody acknowledged; of when their data is."""
    freezes = (f for f in kit.store.freezes(backup_set) if f.cause is Freezing.ANOMALY)
    points = ((one, kit.store.point(one.about)) for one in freezes)
    return {one.about: point.at if point else one.at for one, point in points}


def _point(one: Standing, word: str) -> str:
    parts = [
        f"{m.member}: {m.files} files, {m.rows} rows, {m.added_bytes} of {m.bytes} bytes new"
        for m in one.point.members
    ]
    marks = [word, "proved" if one.proved_at else "", "" if one.point.complete else "incomplete"]
    return f"{one.point.id}  {'  '.join(filter(None, marks))}  {'; '.join(parts)}"


# --- ways


def way(means: Means, host: str) -> Mapping[str, object]:
    """How far one comes on the way to a host: its name, its answer to pings, its port."""
    found = means.kit.config.hosts.get(host)
    if found is None or found.address is None:
        return {}
    place = Place(found.address, found.port)
    pinged, port = Tracer(Deadline(_PATIENCE)), Tracer(Deadline(_PATIENCE))
    with suppress(Broke, Blind):
        ping(place, Volley(3, timedelta(milliseconds=100)), pinged)
    with suppress(Broke, Blind):
        connect(place, port).close()
    causes = {phase.cause for phase in port.phases if phase.cause}
    answers = any(phase.name == "reply" and not phase.cause for phase in pinged.phases)
    if causes & {Cause.DNS_UNKNOWN, Cause.DNS_EMPTY, Cause.DNS_TIMEOUT, Cause.DNS_FAILED}:
        far = "name"
    elif not causes:
        far = "open"
    elif causes & {Cause.CONNECT_REFUSED, Cause.CONNECT_RESET}:
        far = "refused"
    else:
        far = "pings" if answers else "silent"
    lines = [f"{found.address}:{found.port}", *_phases((*pinged.phases, *port.phases))]
    return {"far": far, "address": found.address, "told": "\n".join(lines)}


def probe(means: Means, name: str) -> Mapping[str, object]:
    """A service asked now, with all that can tell whose fault it is; empty where there is none."""
    found = means.kit.config.probes.get(name)
    if found is None:
        return {}
    looked = look_around(means.kit.config, name, means.kit.clock)
    whole = looked.results[0]
    blamed = Finding(whole.said.severity, looked.blame.key, looked.blame.fields)
    around = [f"  {one.name}: {one.status.word} {one.cause}" for one in looked.around]
    lines = [
        f"{name}: {target(found)}  {looked.trace.at:%Y-%m-%d %H:%M:%S} UTC",
        *both(whole.said),
        *both(blamed),
        *_evidence(looked.trace),
        *around,
    ]
    return {
        "side": looked.blame.side.value,
        "cause": whole.cause or whole.status.word,
        "target": target(found),
        "told": "\n".join(lines),
    }


def _evidence(trace: Trace) -> Iterator[str]:
    yield from _phases(trace.phases)
    if trace.facts.peer:
        yield f"  peer {trace.facts.peer}"


def _phases(phases: object) -> Iterator[str]:
    for phase in phases if isinstance(phases, tuple) else ():
        said = f"{phase.cause} {phase.detail}".strip() if phase.cause else "ok"
        yield f"  {phase.name}: {phase.seconds * 1000:.0f} ms  {said}"
