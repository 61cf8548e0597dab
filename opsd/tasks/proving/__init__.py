"""The stages of a proof: storage, database, tree, reconciliation. Each plants damage to catch."""
