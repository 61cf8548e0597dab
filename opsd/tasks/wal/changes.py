"""A copy of what changed, told as the whole one that it makes of the copy before.

Sources: `src/backend/backup/basebackup_incremental.c` (the label), `backup_manifest.c` and
`src/common/parse_manifest.c` (the manifest) of PostgreSQL 17.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from opsd.drivers import increment
from opsd.errors import DatabaseFailed
from opsd.extents import CopiedFile
from opsd.tasks.wal.layout import LABEL, place_of
from opsd.wal import Base, position

_BUILDS_ON = re.compile(r"^INCREMENTAL FROM LSN: (\S+)\n", re.MULTILINE)
_OF_TIMELINE = re.compile(r"^INCREMENTAL FROM TLI: .*\n", re.MULTILINE)
_CHECKSUM = ("Checksum-Algorithm", "Checksum")


def settled_label(label: bytes, parent: Base) -> bytes:
    """The label of a whole copy, where this one was made onto `parent`.

    Raises `DatabaseFailed` where it was made onto another copy.
    """
    text = label.decode()
    if [position(one) for one in _BUILDS_ON.findall(text)] != [parent.start]:
        raise DatabaseFailed("base.other_parent", id=parent.id, detail=text)
    return _OF_TIMELINE.sub("", _BUILDS_ON.sub("", text)).encode()


def settled_manifest(manifest: bytes, label: bytes, files: Mapping[str, CopiedFile]) -> bytes:
    """The manifest of a whole copy that has this label and these files.

    A file of which only changes came has its size and no checksum: nobody has read all of it.
    """
    told = json.loads(manifest)
    told["Files"] = [_told(one, label, files) for one in told["Files"]]
    return _written(told)


def _told(
    entry: Mapping[str, Any], label: bytes, files: Mapping[str, CopiedFile]
) -> Mapping[str, Any]:
    path = entry.get("Path")
    if path == LABEL:
        told = {"Checksum-Algorithm": "SHA256", "Checksum": hashlib.sha256(label).hexdigest()}
        return {**entry, "Size": len(label), **told}
    if path is None or (plain := increment.plain(path)) == path:
        return entry
    rest = {key: value for key, value in entry.items() if key not in _CHECKSUM}
    return {**rest, "Path": plain, "Size": files[place_of(plain)].size}


def _written(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as PostgreSQL reads it: its last line is the SHA-256 of those before."""
    rest = {key: value for key, value in manifest.items() if key != "Manifest-Checksum"}
    lines = [f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in rest.items()]
    text = f"{{ {''.join(lines)}".encode()
    return text + f'"Manifest-Checksum": "{hashlib.sha256(text).hexdigest()}"}}\n'.encode()
