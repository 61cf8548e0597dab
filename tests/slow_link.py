"""A slow road in userland, where the kernel has no netem: two taps, and frames that wait."""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time
from contextlib import suppress
from datetime import timedelta

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
_FRAME = 1 << 16


class SlowLink:
    """Two interfaces, `near` and `far`: what goes into one leaves the other later, or never."""

    def __init__(self, near: str, delay: timedelta, loss: float) -> None:
        self.near, self.far = near, f"{near}n"
        self._delay, self._loss = delay.total_seconds(), loss
        self._ends = (_tap(self.near), _tap(self.far))
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._move, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the road; its interfaces vanish."""
        os.write(self._end, b"x")
        self._thread.join()
        for descriptor in (*self._ends, self._over, self._end):
            os.close(descriptor)

    def _move(self) -> None:
        near, far = self._ends
        waiting: list[tuple[float, int, int, bytes]] = []
        count = 0
        while True:
            rest = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            ready, _, _ = select.select([near, far, self._over], [], [], rest)
            if self._over in ready:
                return
            for source in ready:
                count += 1
                target = far if source == near else near
                with suppress(BlockingIOError):
                    frame = os.read(source, _FRAME)
                    if random.random() >= self._loss:
                        due = time.monotonic() + self._delay
                        heapq.heappush(waiting, (due, count, target, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, target, frame = heapq.heappop(waiting)
                with suppress(OSError):  # an interface that is down takes nothing
                    os.write(target, frame)


def _tap(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
    return descriptor
