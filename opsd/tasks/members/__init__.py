"""What can be a member of a backup set: one file a kind, each with the same four verbs.

`observe` before the run, `capture` into a snapshot, `compare` what was restored with the manifest,
`restore` for people.
"""
