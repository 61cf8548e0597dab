"""The kinds of single values: each says what is wrong with a text, and never repeats a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema

from opsd.config.wrong import nearest, wrong

NAME: Final = r"^[a-z][a-z0-9_-]{0,30}$"
_SLOT = r"^[a-z_][a-z0-9_]{0,62}$"
_HOST = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
_CREDENTIAL = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$"
_DEVICE = r"^(/dev/[A-Za-z0-9/._-]+ )?[a-z0-9][a-z0-9_+,/:-]{0,60}$"
_UNIT = r"^[A-Za-z0-9_][A-Za-z0-9_:.@\\-]{0,250}\.(service|socket|timer|mount|path|target)$"
_TIME = r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$"
_LISTEN = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
_PORTS = 1 << 16
_VIETNAM = "Asia/Ho_Chi_Minh"
_NAMES_OF_VIETNAM = {
    "asia/hanoi",
    "asia/ha_noi",
    "asia/vietnam",
    "hanoi",
    "vietnam",
    "ict",
    "utc+7",
}


class Address(str):
    """`address:port`, as written; an IPv6 address stands in brackets."""

    __slots__ = ()

    @property
    def host(self) -> str:
        """The address without brackets."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port."""
        return int(self.rpartition(":")[2])


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise wrong("not_text", found=found)
    return found


def _absolute(found: object) -> Path:
    if not _text(found).startswith("/"):
        raise wrong("absolute", found=found)
    return Path(_text(found))


def _secret_file(found: object) -> Path:
    """Says nothing of what it found: somebody may have put the secret itself here."""
    if not isinstance(found, str) or not found.startswith("/"):
        raise wrong("secret_file")
    return Path(found)


def _credential(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch(_CREDENTIAL, found):
        raise wrong("credential")
    return found


def _matching(pattern: str, kind: str) -> Callable[[object], str]:
    def check(found: object) -> str:
        if not isinstance(found, str) or not re.fullmatch(pattern, found):
            raise wrong(kind, found=found)
        return found

    return check


def _time(found: object) -> time:
    hour, _, minute = _matching(_TIME, "time")(found).partition(":")
    return time(int(hour), int(minute))


def _zone(found: object) -> str:
    name = _text(found)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        close = _VIETNAM if name.casefold() in _NAMES_OF_VIETNAM else nearest(name, known)
        raise wrong("zone", found=name, close=close) from None
    return name


def _address(found: object) -> Address:
    address = Address(_matching(_LISTEN, "listen")(found))
    if address.port >= _PORTS:
        raise wrong("listen", found=found)
    return address


def program(found: object) -> str:
    """The name or the absolute path of a program."""
    name = _text(found)
    if not name or ("/" in name and not name.startswith("/")):
        raise wrong("program", found=name)
    return name


def _inside(found: object) -> str:
    """A plain path below a root: what it names is one thing, so that nothing else is left out."""
    path = PurePosixPath(_text(found))
    if path.is_absolute() or not path.parts or ".." in path.parts or set("*?[\\") & set(str(path)):
        raise wrong("exclude", found=found)
    return str(path)


def _filled(found: str) -> str:
    if not found.strip():
        raise wrong("empty")
    return found


def _schema(**keywords: Any) -> WithJsonSchema:  # noqa: ANN401  (JSON Schema is untyped)
    return WithJsonSchema({"type": "string", **keywords})


_as_text = PlainSerializer(str)

Name = Annotated[str, PlainValidator(_matching(NAME, "name")), _schema(pattern=NAME)]
SlotName = Annotated[str, PlainValidator(_matching(_SLOT, "slot")), _schema(pattern=_SLOT)]
HostName = Annotated[str, PlainValidator(_matching(_HOST, "host")), _schema(pattern=_HOST)]
SmartDevice = Annotated[str, PlainValidator(_matching(_DEVICE, "device")), _schema(pattern=_DEVICE)]
UnitName = Annotated[str, PlainValidator(_matching(_UNIT, "unit_name")), _schema(pattern=_UNIT)]
Text = Annotated[str, AfterValidator(_filled), _schema(pattern=r"\S")]
Zone = Annotated[str, PlainValidator(_zone), _schema(examples=["Asia/Ho_Chi_Minh"])]
Listen = Annotated[Address, PlainValidator(_address), _as_text, _schema(pattern=_LISTEN)]
Program = Annotated[str, PlainValidator(program), _schema(pattern=r"^(/.*|[^/]+)$")]
AbsolutePath = Annotated[Path, PlainValidator(_absolute), _as_text, _schema(pattern="^/")]
SecretFile = Annotated[Path, PlainValidator(_secret_file), _as_text, _schema(pattern="^/")]
Credential = Annotated[str, PlainValidator(_credential), _schema(pattern=_CREDENTIAL)]
InsidePath = Annotated[
    str,
    PlainValidator(_inside),
    _schema(pattern=r"^(?!/)(?!(.*/)?\.\.(/|$))[^*?\[\\]+$"),
]
TimeOfDay = Annotated[
    time,
    PlainValidator(_time),
    PlainSerializer(lambda at: at.strftime("%H:%M")),
    _schema(pattern=_TIME, examples=["01:30"]),
]
