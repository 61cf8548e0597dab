"""All tables of the catalogue as one."""

from __future__ import annotations

from opsd.catalogue import (
    alerts,
    backup,
    checks,
    cli,
    config,
    daemon,
    demo,
    disks,
    doctor,
    faults,
    hosts,
    keeping,
    labels,
    machines,
    nodes,
    outages,
    probes,
    proof,
    report,
    restore,
    watch,
    web,
)
from opsd.catalogue.language import Sentence

SENTENCES: dict[str, Sentence] = {
    **labels.TABLE,
    **alerts.TABLE,
    **faults.TABLE,
    **hosts.TABLE,
    **keeping.TABLE,
    **config.TABLE,
    **backup.TABLE,
    **proof.TABLE,
    **report.TABLE,
    **restore.TABLE,
    **watch.TABLE,
    **web.TABLE,
    **doctor.TABLE,
    **checks.TABLE,
    **probes.TABLE,
    **outages.TABLE,
    **disks.TABLE,
    **machines.TABLE,
    **cli.TABLE,
    **daemon.TABLE,
    **nodes.TABLE,
    **demo.TABLE,
}
