"""The log of a database server: received, kept, guarded, replayed, proved (docs/wal.md)."""
