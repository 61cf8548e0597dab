"""What opsd's work may take of this machine: the cache that restic fills, the memory of a prune.

restic's cache has no bound of its own. What lies in it can be had from the repository again.
"""

from __future__ import annotations

import logging
from pathlib import Path

from opsd.catalogue import Size
from opsd.drivers import system
from opsd.drivers.storage import KINDS, is_name
from opsd.errors import Refused
from opsd.model import Severity
from opsd.policy import means
from opsd.tasks import stock
from opsd.tasks.journal import Journal

log = logging.getLogger(__name__)


def trim_cache(journal: Journal) -> None:
    """Remove what lay unused longest from restic's cache, until it keeps to its bound."""
    config = journal.kit.config
    files = [one for one in system.files_below(config.cache) if _cached(one.path)]
    going = means.beyond(files, config.cache_size)
    for one in going:
        one.path.unlink(missing_ok=True)
    if going:
        freed = sum(one.size for one in going)
        journal.evidence("cache", {"removed": len(going), "bytes": freed})
        log.info("restic's cache: %d files, %d bytes removed", len(going), freed)


def _cached(path: Path) -> bool:
    """Whether it is an object that restic keeps: nothing else is ever removed there."""
    return is_name(path.name) is not None and path.parent.parent.name in KINDS


def judge_prune(journal: Journal) -> None:
    """Is there memory for a prune? Raises `Refused` where there is not, tells where it is tight.

    Where opsd cannot list the repository nobody knows.
    """
    kit, repository = journal.kit, journal.run.repository
    if kit.storage(repository) is None:
        return
    index = sum(o.size for o in stock.listed(kit, repository) if o.kind == "index")
    needed, free = means.prune_memory(index), system.memory_free()
    told = Refused("prune.memory", repository=repository, needed=Size(needed), free=Size(free))
    match means.fits(needed, free):
        case means.Fit.NOT:
            raise told
        case means.Fit.BARELY:
            journal.find(Severity.CHANGE, "prune.memory_tight", **told.fields)
        case means.Fit.WELL:
            pass
