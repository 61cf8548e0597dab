"""Every file that the restored database names is there and the same, and the other way round."""

from __future__ import annotations

from pathlib import Path

from opsd.config.schema import Orphans, Reconciliation
from opsd.drivers import manifests
from opsd.manifest import FILE, Named
from opsd.model import Severity
from opsd.policy.comparison import Reconciler
from opsd.tasks.proving.bench import Bench
from opsd.tasks.proving.standing import Answering

_FEW_NEWER = 10
_SHARE_OF_NEWER = 100  # one in so many rows


def reconcile(
    bench: Bench,
    rule: Reconciliation,
    database: Answering,
    restored: Path,
) -> None:
    """Compare rows and files by one rule of the configuration; both sides are streams."""
    fresh_after = int(database.at.timestamp() * 1_000_000_000)
    judged = Reconciler(fresh_after)
    with database.named_files(rule.query) as rows:
        judged.join(rows, manifests.read(restored))
    found = bench.journal.findings
    found += judged.tally.findings("reconcile", rule.files)
    found += judged.newer.findings("reconcile", rule.files, _severity_of_newer(judged))
    if judged.rows == 0:
        bench.journal.find(Severity.FAULT, "reconcile.no_rows", member=rule.database)
    else:
        bench.canary(f"reconcile:{rule.files}", caught=_canary(restored))
    if judged.orphans and rule.orphans is not Orphans.IGNORE:
        bench.journal.find(
            Severity.FAULT if rule.orphans is Orphans.FAIL else Severity.CHANGE,
            "reconcile.orphans",
            member=rule.files,
            count=judged.orphans,
            names=judged.orphan_names,
        )
    bench.add(
        {
            "reconciled_rows": judged.rows,
            "orphans": judged.orphans,
            "fresh_orphans": judged.fresh_orphans,
        }
    )


def _severity_of_newer(judged: Reconciler) -> Severity:
    """A few files are replaced while a backup runs; more than that is no office at work."""
    newer = sum(judged.newer.counts.values())
    tolerable = max(_FEW_NEWER, judged.rows // _SHARE_OF_NEWER)
    return Severity.CHANGE if newer <= tolerable else Severity.FAULT


def _canary(restored: Path) -> bool:
    """A row with another digest, and one whose file is not there: are both seen?"""
    judged = Reconciler(fresh_after=1 << 63)
    chosen = next((e for e in manifests.read(restored) if e.kind == FILE and e.sha256), None)
    if chosen is None:
        return False
    altered = Named(chosen.path, chosen.size, "0" * 64)
    absent = Named(chosen.path + b"\xff", chosen.size, chosen.sha256)
    judged.join((altered, absent), (chosen,))
    return judged.tally.counts == {"content": 1, "missing": 1}
