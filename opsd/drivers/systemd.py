"""What the service manager is told: sd_notify(3), without its library.

The variables are taken out of the environment, so that no program started by opsd (PostgreSQL
notifies too) speaks in its name.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta

_ADDRESS, _INTERVAL, _PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Manager:
    """The service manager's ear; an empty address means that nobody listens.

    `watchdog` is how often it must hear from us, nothing where it does not ask for that.
    """

    address: str = ""
    watchdog: timedelta | None = None

    def ready(self, status: str) -> None:
        """Everything works now."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` follows."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self, status: str) -> None:
        """We live, and this is what we wait for."""
        self._tell("WATCHDOG=1", f"STATUS={status}")

    def _tell(self, *lines: str) -> None:
        """Send a message; a manager that does not take it in time decides for itself."""
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
            ear.settimeout(_PATIENCE_SECONDS)
            try:
                ear.sendto("\n".join(lines).encode(), address)
            except OSError:
                return


def take(environment: MutableMapping[str, str] | None = None) -> Manager:
    """Who started this process as a service, if anybody; asked once, at the beginning."""
    found = os.environ if environment is None else environment
    address, interval, pid = (found.pop(name, "") for name in (_ADDRESS, _INTERVAL, _PID))
    meant = not pid or pid == str(os.getpid())
    watchdog = timedelta(microseconds=int(interval)) if interval.isdecimal() and meant else None
    return Manager(address if address[:1] in {"/", "@"} else "", watchdog)
