"""What a configuration says of the dossier system: its members, and what must hold in a restore."""

from __future__ import annotations

from pathlib import Path

_MEMBERS = """\
    members:
"""
_DATABASE = """\
      database:
        kind: postgres
        connection: {connection}
"""
_LOG = """\
        wal:
          receivers:
            first: {{directory: {log}/first}}
            second: {{directory: {log}/second}}  # a real site has it on another machine
          slot_limit: 1GiB
          min_free: 200MiB
"""
_SCANS = """\
      scans:
        kind: files
        path: {scans}
"""
_PROVE = """\
    prove:
      invariants:
        - name: mỗi hồ sơ thuộc một thủ tục có thật
          member: database
          query: >
            SELECT 1 FROM dossier d LEFT JOIN procedure p ON p.id = d.procedure_id
            WHERE p.id IS NULL
        - name: mỗi hồ sơ có ít nhất một bước xử lý
          member: database
          query: >
            SELECT 1 FROM dossier d
            WHERE NOT EXISTS (SELECT 1 FROM progress_step s WHERE s.dossier_id = d.id)
      reconcile:
        - database: database
          files: scans
          query: >
            SELECT a.path, a.size, a.sha256, d.code
            FROM attachment a JOIN dossier d ON d.id = a.dossier_id
"""


def lines(connection: str, scans: Path, log: Path | None = None) -> str:
    """The lines below a backup set; without a connection the files alone are protected.

    With `log` the database's log is received, into two directories below it.
    """
    if not connection:
        return _MEMBERS + _SCANS.format(scans=scans)
    received = _LOG.format(log=log) if log else ""
    database = _DATABASE.format(connection=connection) + received
    return _MEMBERS + database + _SCANS.format(scans=scans) + _PROVE
