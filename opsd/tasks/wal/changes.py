"""A copy of what changed, told as the whole one that it makes of the copy before.

Sources: `src/backend/backup/basebackup_incremental.c` (the label), `backup_manifest.c` and
`src/common/parse_manifest.c` (the manifest) of PostgreSQL 17.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsd.drivers import increment
from opsd.drivers.increment import BLOCK
from opsd.errors import DatabaseFailed
from opsd.tasks.wal.layout import DATA, LABEL, MANIFEST
from opsd.wal import Base, position

_BUILDS_ON = re.compile(r"^INCREMENTAL FROM LSN: (\S+)\n", re.MULTILINE)
_OF_TIMELINE = re.compile(r"^INCREMENTAL FROM TLI: .*\n", re.MULTILINE)
_CHECKSUM = ("Checksum-Algorithm", "Checksum")


def settle(home: Path, parent: Base) -> None:
    """Let label and manifest be those of a whole copy, where it was made onto `parent`.

    A file of which only changes are there has its size then and no checksum: nobody has read all of
    it. Raises `DatabaseFailed` where it was made onto another copy.
    """
    data = home / DATA
    label = (data / LABEL).read_text(encoding="utf-8")
    if [position(one) for one in _BUILDS_ON.findall(label)] != [parent.start]:
        raise DatabaseFailed("base.other_parent", id=parent.id, detail=label)
    plain = _OF_TIMELINE.sub("", _BUILDS_ON.sub("", label)).encode()
    (data / LABEL).write_bytes(plain)
    manifest = json.loads((data / MANIFEST).read_bytes())
    manifest["Files"] = [_told(data, one, plain) for one in manifest["Files"]]
    (data / MANIFEST).write_bytes(_written(manifest))


def _told(data: Path, entry: Mapping[str, Any], label: bytes) -> Mapping[str, Any]:
    path = entry.get("Path")
    if path == LABEL:
        told = {"Checksum-Algorithm": "SHA256", "Checksum": hashlib.sha256(label).hexdigest()}
        return {**entry, "Size": len(label), **told}
    if path is None or increment.plain(path) == path:
        return entry
    found = increment.read(data / path)
    rest = {key: value for key, value in entry.items() if key not in _CHECKSUM}
    return {**rest, "Path": increment.plain(path), "Size": found.blocks * BLOCK}


def _written(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as PostgreSQL reads it: its last line is the SHA-256 of those before."""
    rest = {key: value for key, value in manifest.items() if key != "Manifest-Checksum"}
    lines = [f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in rest.items()]
    text = f"{{ {''.join(lines)}".encode()
    return text + f'"Manifest-Checksum": "{hashlib.sha256(text).hexdigest()}"}}\n'.encode()
