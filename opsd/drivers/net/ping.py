"""Links: packets there and back by ICMP, without any program."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd.drivers.net.connection import Place, resolve
from opsd.drivers.net.tracing import Blind, Broke, Deadline, Tracer
from opsd.trace import Cause, Packets

_LATEST = 2.0  # seconds after which an answer counts as lost
_HEADER = struct.Struct("!BBHHH")
_TOKEN_BYTES = 16
_ECHO: Mapping[int, tuple[int, int]] = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_LARGEST = 2048


@dataclass(frozen=True, slots=True)
class Volley:
    """How many packets go, how far apart, and from which of our addresses."""

    count: int
    gap: timedelta
    source: str | None = None


def ping(place: Place, volley: Volley, tracer: Tracer) -> Packets:
    """Send the packets and wait for those that come back."""
    address = resolve(place, tracer)[0]
    tracer.know(peer=address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with tracer.timed("reply"):
        with _opened(family) as link:
            try:
                link.bind((volley.source or ("::" if family == socket.AF_INET6 else ""), 0))
                link.connect((address, 0))
            except OSError as error:
                raise Broke(Cause.REPLY_NONE, str(error.strerror)) from error
            tracer.know(local=str(link.getsockname()[0]))
            found, complaint = _exchange(link, volley, tracer.deadline)
        if not found.delays:
            raise Broke(Cause.REPLY_NONE, complaint)
    return found


def _opened(family: socket.AddressFamily) -> socket.socket:
    """A socket for echoes: the kernel's own kind, or a raw one where only that is allowed."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, _PROTOCOL[family])
        except PermissionError:
            continue
        except OSError as error:
            raise Blind(str(error)) from error
    raise Blind("net.ipv4.ping_group_range, CAP_NET_RAW")


def _exchange(link: socket.socket, volley: Volley, deadline: Deadline) -> tuple[Packets, str]:
    token, identity = os.urandom(_TOKEN_BYTES), os.getpid() & 0xFFFF
    gap, began = volley.gap.total_seconds(), time.monotonic()
    sent: list[float] = []
    delays: dict[int, float] = {}
    complaint = ""
    link.setblocking(False)
    while len(delays) < volley.count and not deadline.over:
        now = time.monotonic()
        due = began + len(sent) * gap
        if len(sent) < volley.count and now >= due:
            sent.append(now)
            complaint = _send(link, token, identity, len(sent) - 1) or complaint
            continue
        until = due if len(sent) < volley.count else sent[-1] + _LATEST
        if now >= until:
            break
        if select.select([link], [], [], min(until - now, deadline.left()))[0]:
            number = _receive(link, token)
            if number is not None and number < len(sent):
                delays.setdefault(number, time.monotonic() - sent[number])
    return Packets(max(len(sent), 1), tuple(delays[number] for number in sorted(delays))), complaint


def _send(link: socket.socket, token: bytes, identity: int, number: int) -> str:
    """Send one packet; what the system says against it, which counts as lost."""
    kind = _ECHO[link.family][0]
    packet = _HEADER.pack(kind, 0, 0, identity, number) + token
    packet = _HEADER.pack(kind, 0, _checksum(packet), identity, number) + token
    try:
        link.send(packet)
    except OSError as error:
        return str(error.strerror)
    return ""


def _receive(link: socket.socket, token: bytes) -> int | None:
    """The number of our packet that came back, if it was one of ours."""
    try:
        content = link.recv(_LARGEST)
    except OSError:
        return None
    if link.family == socket.AF_INET and link.type == socket.SOCK_RAW:
        content = content[(content[0] & 0x0F) * 4 :]
    if len(content) < _HEADER.size or not content.endswith(token):
        return None
    number: int = _HEADER.unpack_from(content)[-1]
    return number if content[0] == _ECHO[link.family][1] else None


def _checksum(packet: bytes) -> int:
    """RFC 1071; for IPv6 the kernel writes its own."""
    padded = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
