"""Base copies: a whole cluster in packs of a repository, onto which the log is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from opsd.drivers import lock
from opsd.drivers.postgres.replication import ServerSeen, visiting
from opsd.errors import OpsdError, RepositoryDamaged, RepositoryMissing
from opsd.extents import ExtentMap, alike, copies_of
from opsd.model import Closing, Finding, Severity, Task
from opsd.policy import preflight
from opsd.policy import wal as policy
from opsd.tasks import room, shelf
from opsd.tasks.journal import Journal, opened
from opsd.tasks.keys import Keys
from opsd.tasks.kit import Kit
from opsd.tasks.moving import Moving
from opsd.tasks.wal import at_hand, histories
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.copies import FAILING, Copies, Everywhere, open_copies
from opsd.tasks.wal.layout import MANIFEST, place_of
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import MOST_OPEN, digested
from opsd.tasks.wal.rereading import damaged_packs
from opsd.tasks.wal.taking import Before, Taken, taken
from opsd.wal import Base, Need, position, written

_LEFT = "bases"  # the evidence of what is left when what is too old went
_UNREAD = "unread_base"  # of a copy that could not be read back


@dataclass(frozen=True, slots=True)
class _Door:
    """A repository before a copy is put there: what is in it that leads to now."""

    copies: Copies
    leading: tuple[Base, ...]


def take_base(kit: Kit, log: Log) -> Closing:
    """Copy the whole cluster, put it into every repository of the log, drop what is too old.

    A repository that fails keeps no other from having it; the run fails then, and names it.
    """
    with opened(kit, Task.BASE, log.backup_set, log.repositories[0]) as journal:
        with visiting(log.database) as server:
            seen, summarizes = server.seen(log.commit), server.summarizes
        everywhere = Everywhere()
        with _telling(journal, everywhere), ExitStack() as stack:
            doors = _doors(journal, log, seen, everywhere)
            before = _before(journal, log, seen, (doors, everywhere))
            if before and summarizes:
                before = _with_manifest(journal, before, everywhere)
            with journal.phase("base", log.name):
                new = stack.enter_context(taken(journal, log, before, everywhere))
            known = _keep_at_hand(journal, log, new, everywhere)
            known = known or _read_back(journal, log, new, everywhere)

            def settle(copies: Copies) -> None:
                _tell(journal, log, new, everywhere.added[copies.repository], copies.repository)
                with journal.phase("forget", copies.repository):
                    _drop_old(journal, log, copies, new.base)
                    if known:
                        _complete(journal, copies, new, known)

            everywhere.each(settle)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


@contextmanager
def _telling(journal: Journal, everywhere: Everywhere) -> Iterator[None]:
    """Every repository that failed is told, whatever ends the run; else the first of them does."""
    ended: BaseException | None = None
    try:
        yield
        ended = next(iter(everywhere.failed.values()), None)
        if ended is not None:
            raise ended
    except BaseException as error:
        ended = error
        raise
    finally:
        journal.findings += [
            error.finding(Severity.FAULT)
            for error in everywhere.failed.values()
            if error is not ended
        ]


def bases(log: Log, repository: str, keys: Keys | None = None) -> tuple[Base, ...]:
    """The base copies in a repository, oldest first. Raises `RepositoryMissing`."""
    return _there(log, open_copies(log, repository, keys))


def _there(log: Log, copies: Copies) -> tuple[Base, ...]:
    """What there is; where there is none restic says whether there is a repository."""
    if found := copies.bases():
        return found
    log.kit.restic(copies.repository).snapshots(f"set:{log.backup_set}")
    return ()


def every_base(
    log: Log, keys: Mapping[str, Keys] | None = None
) -> tuple[tuple[Base, ...], tuple[Finding, ...]]:
    """The base copies in all repositories, and which of these could not be asked.

    With keys, in those that they are of.
    """
    found: list[Base] = []
    silent: list[Finding] = []
    for repository in keys or log.repositories:
        try:
            log.kit.reach(repository)
            found += bases(log, repository, keys[repository] if keys else None)
        except OpsdError as error:
            silent.append(error.finding(Severity.CHANGE))
    return tuple(sorted(found, key=lambda base: base.until)), tuple(silent)


def needs(log: Log, repository: str, system: str) -> tuple[Need, ...]:
    """What the base copies in a repository need of a server's log, the newest copy last.

    As the last that dropped old ones from here left it; nothing where none did.
    """
    of = {"member": log.name, "repository": repository, "system": system}
    told = log.kit.last_told(log.backup_set, _LEFT, **of)
    return tuple(
        Need(one["timeline"], position(one["start"]), position(one["stop"]))
        for one in (told["needs"] if told else ())
    )


def needs_there(log: Log, repository: str, system: str) -> tuple[Need, ...]:
    """The same as the repository itself says."""
    found = (base for base in bases(log, repository) if base.system == system)
    return tuple(
        Need(base.timeline, base.start, base.stop)
        for base in sorted(found, key=lambda base: base.until)
    )


def _doors(journal: Journal, log: Log, seen: ServerSeen, everywhere: Everywhere) -> Sequence[_Door]:
    """The repositories that a copy can go into. Raises what keeps it from the first if from all."""
    doors: list[_Door] = []
    for repository in log.repositories:
        try:
            doors.append(_door(journal, log, seen, repository))
        except FAILING as error:
            everywhere.failed[repository] = error
        else:
            everywhere.add(doors[-1].copies)
    if not doors:
        raise next(iter(everywhere.failed.values()))
    return doors


def _door(journal: Journal, log: Log, seen: ServerSeen, repository: str) -> _Door:
    """A repository, and the copies in it that the server has not left.

    Raises `DatabaseFailed` where the server left all that is kept: a copy of it belongs to no log
    that is kept of it.
    """
    copies = open_copies(log, repository)
    there = _insist(journal, log, copies)
    archive = open_archive(log, repository, seen.system, seen.segment_bytes, copies.keys)
    held = archive.holdings()
    histories.insist(log, archive, held)
    leading = tuple(one for one in there if not policy.was_left(one, held))
    found = journal.kit.config.repositories[repository]
    if found.path is not None and preflight.judge_room(room.at(found.path, 0, found.min_free)):
        if leading:  # there may be room when what is too old went
            _drop_old(journal, log, copies, max(leading, key=lambda base: base.until))
        room.insist(found.path, 0, found.min_free)
    return _Door(copies, leading)


def _insist(journal: Journal, log: Log, copies: Copies) -> tuple[Base, ...]:
    """The copies in a repository; where there is none and never was one of ours, it is made."""
    kit, repository = journal.kit, copies.repository
    kit.reach(repository)
    try:
        found = _there(log, copies)
    except RepositoryMissing as missing:
        shelf.make(kit, repository, missing)
        return ()
    if not found:
        shelf.insist_on_ours(kit, repository)
    return found


def _before(
    journal: Journal, log: Log, seen: ServerSeen, into: tuple[Sequence[_Door], Everywhere]
) -> Before | None:
    """The copy that the next one may share with.

    The newest that every repository has, in the same way, where nothing of it is missing or known
    to be damaged, or lies in so many copies' packs that a recovery would read them again and again.
    """
    doors, everywhere = into
    since = journal.kit.clock() - log.wal.whole_every
    shared = set[str].intersection(*({one.id for one in door.leading} for door in doors))
    known = [one for one in doors[0].leading if one.id in shared]
    base, maps = policy.parent_for(known, seen.system, since), list[ExtentMap | None]()
    if base is None:
        return None

    def look(copies: Copies) -> None:
        try:
            found = copies.map(base.id)
            maps.append(found if _is_good(log, copies, base, found) else None)
        except RepositoryDamaged as error:
            maps.append(None)
            journal.findings.append(error.finding(Severity.CHANGE))

    everywhere.each(look)
    first, *others = maps
    if first is None or any(one is None or not alike(first, one) for one in others):
        return None
    return Before(base, first)


def _is_good(log: Log, copies: Copies, base: Base, found: ExtentMap) -> bool:
    """Whether another one may build on it there, as far as is known."""
    needed = found.packs
    return not (
        needed & damaged_packs(log, copies.repository)
        or needed - copies.packs().keys()
        or len(copies_of(needed)) >= MOST_OPEN
        or _unread_since(log, copies.repository) == base.whole.isoformat()
    )


def _unread_since(log: Log, repository: str) -> str | None:
    """Since which whole copy one that builds on it could not be read back there, if one could."""
    told = log.kit.last_told(log.backup_set, _UNREAD, member=log.name, repository=repository)
    return told["whole"] if told else None


def _with_manifest(journal: Journal, before: Before, everywhere: Everywhere) -> Before | None:
    """With its manifest, by which the server tells what changed; none where it is damaged."""
    copies = everywhere.nearest
    try:
        return replace(before, manifest=copies.file(before.files, place_of(MANIFEST)))
    except RepositoryDamaged as error:
        journal.findings.append(error.finding(Severity.CHANGE))
        return None
    except FAILING as error:
        everywhere.leave(copies, error)
        return before


def _tell(journal: Journal, log: Log, new: Taken, added: int, repository: str) -> None:
    base = new.base
    journal.evidence(
        "base",
        {
            "member": log.name,
            "repository": repository,
            "bytes": base.bytes,
            "read_bytes": base.read,
            "added_bytes": added,
            "start": written(base.start),
            "stop": written(base.stop),
            "until": base.until.isoformat(),
            "parent": base.parent,
        },
    )


def _keep_at_hand(
    journal: Journal, log: Log, new: Taken, everywhere: Everywhere
) -> ExtentMap | None:
    """Let it stay on this machine, where that is wanted; gives it with all digests, if it does.

    What keeps it from that is only told, but for what it cannot be fetched of.
    """
    copies = everywhere.nearest
    try:
        if new.beside is not None:
            return at_hand.keep(log, new.base, new.beside, new.files, copies)
        at_hand.drop(log)
    except RepositoryDamaged as error:
        _lose(journal, log, new, (copies, everywhere), error)
    except (OSError, lock.Busy, OpsdError) as error:
        if journal.kit.stop.requested:
            raise
        fields = {"path": at_hand.directory(log)}
        journal.findings.append(
            Finding(Severity.CHANGE, "base.not_at_hand", fields, detail=str(error))
        )
    return None


def _read_back(journal: Journal, log: Log, new: Taken, everywhere: Everywhere) -> ExtentMap | None:
    """What was seen of in parts only is read where that costs no link: then all is known."""
    kit, copies = journal.kit, everywhere.nearest
    if copies.is_near:
        with journal.phase("read_back", copies.repository):
            try:
                return digested(new.files, copies.pack, kit.stop, Moving(kit, 0))
            except RepositoryDamaged as error:
                _lose(journal, log, new, (copies, everywhere), error)
    return None


def _lose(
    journal: Journal,
    log: Log,
    new: Taken,
    where: tuple[Copies, Everywhere],
    error: RepositoryDamaged,
) -> None:
    """A copy that cannot be read is no good: it goes from there, and none builds on its like."""
    copies, everywhere = where
    told = {"member": log.name, "repository": copies.repository}
    journal.evidence(_UNREAD, {**told, "whole": new.base.whole.isoformat()})
    everywhere.lose(copies, new.base.id, error)


def _complete(journal: Journal, copies: Copies, new: Taken, known: ExtentMap) -> None:
    """Tell a repository the digests that are known by now; it is as good a copy without."""
    try:
        copies.complete(new.base.id, new.files, known)
    except OpsdError as error:
        if journal.kit.stop.requested:
            raise
        journal.findings.append(error.finding(Severity.CHANGE))


def _drop_old(journal: Journal, log: Log, copies: Copies, taken: Base) -> None:
    """Give up what no moment of the window needs: base copies, and the log before the first.

    Another machine may have brought a copy there since this one was begun.
    """
    kit, repository, (there, unread) = journal.kit, copies.repository, copies.listed()
    is_there = any(base.id == taken.id for base in there)
    if not is_there or not set(copies.packs_of(taken.id)) <= copies.packs().keys():
        raise RepositoryDamaged("base.not_there", repository=repository)
    now = min(kit.clock(), taken.until)  # one of the two clocks may be ahead
    archive = open_archive(log, repository, taken.system, taken.segment_bytes, copies.keys)
    held = archive.holdings()
    gone = [b for b in there if b.system == taken.system and policy.was_left(b, held)]
    spare = policy.spare_bases(there, now - log.wal.window, gone)
    if unread:  # which log they need is not known: all stays
        journal.find(Severity.CHANGE, "base.heads_unread", repository=repository, names=[*unread])
        spare = ()
    copies.drop([base.id for base in spare])
    left = [base for base in there if base not in spare and base.system == taken.system]
    going = () if unread else policy.spare_segments(held, left, taken.segment_bytes)
    # Told before it is done: whoever misses these segments must know that nothing needs them.
    journal.evidence(
        _LEFT,
        {
            "member": log.name,
            "repository": repository,
            "oldest": min((b.until.isoformat() for b in left if b not in gone), default=None),
            "dropped": len(spare),
            "dropped_segments": len(going),
            "system": taken.system,
            "needs": [
                {
                    "timeline": base.timeline,
                    "start": written(base.start),
                    "stop": written(base.stop),
                }
                for base in sorted(left, key=lambda base: base.until)
            ],
        },
    )
    archive.drop(going)
    try:  # what is written now may belong to a copy that another machine takes
        copies.sweep(now - 2 * kit.backup_set(log.backup_set).timeout)
    except RepositoryDamaged as error:  # which packs a copy needs is not known: all stay
        journal.findings.append(error.finding(Severity.CHANGE))
