"""All tables of the catalogue as one."""

from __future__ import annotations

from opsd.catalogue import backup, cli, config, demo, faults, labels, proof
from opsd.catalogue.language import Sentence

SENTENCES: dict[str, Sentence] = {
    **labels.TABLE,
    **faults.TABLE,
    **config.TABLE,
    **backup.TABLE,
    **proof.TABLE,
    **cli.TABLE,
    **demo.TABLE,
}
