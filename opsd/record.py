"""The nouns as JSON and back: what the store keeps and what travels inside a recovery point.

Format: the fields of the dataclasses under their names; moments and spans as ISO 8601, moments
with zone. The free fields of a finding keep their meaning by a tag: `{"bytes": n}`,
`{"seconds": n}`, `{"moment": "..."}`, and plain JSON otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import PurePath
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from opsd.catalogue import Size
from opsd.model import Finding, Severity

Noun = TypeVar("Noun")
VERSION = 1


def plain(noun: Hashable) -> dict[str, Any]:
    """A dataclass of the model as JSON-able values."""
    found = _adapter(cast("Hashable", type(noun))).dump_python(noun, mode="json")
    assert isinstance(found, dict)  # noqa: S101  (dataclasses only)
    return found


def noun(kind: type[Noun], found: object) -> Noun:
    """The other way round. Raises pydantic's `ValidationError` when it does not fit."""
    value: Noun = _adapter(cast("Hashable", kind)).validate_python(found)
    return value


def from_json(kind: type[Noun], text: str) -> Noun:
    """A noun from its JSON text."""
    return noun(kind, json.loads(text))


def to_json(value: object) -> str:
    """Compact JSON with sorted keys: the same facts give the same bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain_finding(finding: Finding) -> dict[str, Any]:
    """A finding as JSON-able values."""
    return {
        "severity": finding.severity.name.lower(),
        "key": finding.key,
        "fields": {name: _tag(value) for name, value in finding.fields.items()},
        "detail": finding.detail,
    }


def finding(found: Mapping[str, Any]) -> Finding:
    """A finding from its JSON-able values."""
    fields = {name: _untag(value) for name, value in found["fields"].items()}
    return Finding(Severity[found["severity"].upper()], found["key"], fields, found["detail"])


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("type[object]", kind))


def _tag(value: object) -> object:
    match value:
        case Size():
            return {"bytes": int(value)}
        case timedelta():
            return {"seconds": value.total_seconds()}
        case datetime():
            return {"moment": value.isoformat()}
        case list() | tuple() | set() | frozenset():
            return [_tag(item) for item in value]
        case PurePath():
            return str(value)
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)


def _untag(value: object) -> object:
    match value:
        case {"bytes": int(count)}:
            return Size(count)
        case {"seconds": int() | float() as seconds}:
            return timedelta(seconds=seconds)
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case list():
            return [_untag(item) for item in value]
        case _:
            return value
