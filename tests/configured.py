"""A configuration file of one's own."""

from __future__ import annotations

from pathlib import Path

# A set of one database whose log is received, on no server at all.
LOGGED = """
language: en
demo: true
state: {base}/state
repositories:
  main: {{url: {base}/main, password_file: {base}/password}}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 1h
    members:
      database:
        kind: postgres
        connection: host=/nowhere dbname=dossiers
        wal: {{receivers: {{here: {{directory: {base}/wal}}}}}}
"""


def configured(place: Path, text: str) -> Path:
    """Such a file below `place`, which is `{base}` in the text, beside the password it names."""
    password, path = place / "password", place / "opsd.yaml"
    password.write_text("only for tests\n")
    password.chmod(0o600)
    path.write_text(text.format(base=place))
    return path
