"""Meeting a host for the first time: its key is believed when a person compared it."""

from __future__ import annotations

import os
from pathlib import Path

from opsd.config.hosts import Host
from opsd.drivers.net.ssh import Shown, scan
from opsd.errors import HostUnreachable, Refused


def shown(name: str, host: Host) -> tuple[Shown, ...]:
    """The keys that the host shows to anybody. Raises `HostUnreachable`."""
    assert host.address is not None  # noqa: S101  (the caller looked)
    found = scan(host.address, host.port, host.connect_timeout)
    if not found:
        raise HostUnreachable("host.shows_no_key", reason="connect", host=name)
    return found


def enroll(name: str, host: Host, keys: tuple[Shown, ...], fingerprint: str) -> Path:
    """Write the key that the person compared into the host's `known_hosts`.

    Raises `Refused` where the host shows another, or another is known already.
    """
    assert host.address is not None  # noqa: S101
    assert host.known_hosts is not None  # noqa: S101  (the configuration insists)
    chosen = next((key for key in keys if key.fingerprint == fingerprint), None)
    if chosen is None:
        told = [f"{key.kind} {key.fingerprint}" for key in keys]
        raise Refused("host.other_key", host=name, fingerprint=fingerprint, shown=told)
    place = host.address if host.port == 22 else f"[{host.address}]:{host.port}"
    path = host.known_hosts
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    if any(line.split(" ")[0] == place for line in known.splitlines()):
        raise Refused("host.known_already", host=name, path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as sink:
        sink.write(f"{place} {chosen.kind} {chosen.key}\n")
        os.fsync(sink.fileno())
    return path
