"""What is kept: the append-only history, and what is watched now."""

from opsd.store.audit import OPSD
from opsd.store.cases import Cases
from opsd.store.history import Store
from opsd.store.watch import Kept, Page, Watch

__all__ = ["OPSD", "Cases", "Kept", "Page", "Store", "Watch"]
