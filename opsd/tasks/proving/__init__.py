"""The stages of a proof: storage, database, tree, reconciliation; each damages a sample on purpose."""
