"""A configuration file of one's own."""

from __future__ import annotations

from pathlib import Path


def configured(place: Path, text: str) -> Path:
    """Such a file below `place`, which is `{base}` in the text, beside the password it names."""
    password, path = place / "password", place / "opsd.yaml"
    password.write_text("only for tests\n")
    password.chmod(0o600)
    path.write_text(text.format(base=place))
    return path
