"""What does not fit together in how the ports are guarded.

As in `opsd.config.references` the values are read as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from opsd.config.mistakes import Finding
from opsd.config.schema import Config, Location
from opsd.config.values import Address

Group = Mapping[Any, Any]

_LISTENS = {"metrics": "listen", "admin": "admin_listen"}


def check(values: Group) -> Iterator[Finding]:
    """Ports that stand open, and guards of which a half is missing."""
    addresses = {name: _address(values, option) for name, option in _LISTENS.items()}
    ports = [address and address.port and str(address) for address in addresses.values()]
    if ports[0] and ports[0] == ports[1]:
        written = "admin_listen" if "admin_listen" in values else "listen"
        yield Finding((written,), "config.same_port", {"address": ports[0]})
    web = _group(values, "web")
    yield from _webhook(values, _group(web, "admin"))
    for name, option in _LISTENS.items():
        guard = _group(web, name)
        yield from _halves(guard, ("web", name))
        address = addresses[name]
        if address is not None and not _stays_here(address):
            yield from _open(guard, name, option)


def _halves(guard: Group, location: Location) -> Iterator[Finding]:
    for what in ("key", "users"):
        one, other = f"{what}_file", f"{what}_credential"
        if one in guard and other in guard:
            fields = {"one": one, "other": other}
            yield Finding((*location, other), "config.both", fields, of_name=True)
    key = next((option for option in ("key_file", "key_credential") if option in guard), None)
    if key is None and "certificate_file" in guard:
        fields = {"one": "key_file", "other": "key_credential"}
        yield Finding(location, "config.neither", fields)
    elif key and "certificate_file" not in guard:
        yield Finding((*location, key), "config.no_certificate", of_name=True)


def _webhook(values: Group, admin: Group) -> Iterator[Finding]:
    """Who hands in alerts must show who they are."""
    webhook = values.get("webhook")
    if not isinstance(webhook, Mapping):
        return
    one, other = "token_file", "token_credential"
    if one in webhook and other in webhook:
        fields = {"one": one, "other": other}
        yield Finding(("webhook", other), "config.both", fields, of_name=True)
    if not {one, other, "client_ca_file"} & set(webhook):
        yield Finding(("webhook",), "config.webhook_open")
    if "client_ca_file" in webhook and "certificate_file" not in admin:
        yield Finding(("webhook", "client_ca_file"), "config.client_ca_without_tls", of_name=True)


def _open(guard: Group, name: str, option: str) -> Iterator[Finding]:
    """A port that others reach: the admin's needs a guard, and no password goes in the clear."""
    users = next((one for one in ("users_file", "users_credential") if one in guard), None)
    if name == "admin" and users is None:
        yield Finding((option,), "config.admin_open")
    elif users and "certificate_file" not in guard:
        yield Finding(("web", name, users), "config.password_in_clear", {"option": option})


def in_clear(channel: Group, location: Location) -> Iterator[Finding]:
    """A channel whose secret would cross the network for everybody to read."""
    if not {"password_file", "password_credential"} & set(channel):
        return
    url, host = str(channel.get("url", "")), str(channel.get("host", ""))
    if channel.get("security") == "none" and not _is_here(host):
        yield Finding((*location, "security"), "config.secret_in_clear")
    if url.startswith("http://") and not _is_here(urlsplit(url).hostname or ""):
        yield Finding((*location, "url"), "config.secret_in_clear")


def _stays_here(address: Address) -> bool:
    """Whether nobody but this machine reaches it."""
    return _is_here(address.host)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(values: Group, option: str) -> Address | None:
    found = values.get(option, Config.model_fields[option].default)
    return Address(found) if isinstance(found, str) and found.rpartition(":")[2].isdigit() else None


def _group(values: Group, option: str) -> Group:
    found = values.get(option)
    return found if isinstance(found, Mapping) else {}
