"""The append-only history of runs, evidence, recovery points and proofs."""

from opsd.store.history import Store

__all__ = ["Store"]
