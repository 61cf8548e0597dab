"""Certificates, users and guards of ports, for the tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

from opsd.config.web import Guard

PASSWORD = "a password for the tests"


def certificate(directory: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    path, key = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}", "-out", str(path)),
            *("-keyout", str(key), "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    key.chmod(0o600)
    return path, key


def guarded(**files: Path) -> Guard:
    return Guard.model_validate({option: str(path) for option, path in files.items()})


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path
