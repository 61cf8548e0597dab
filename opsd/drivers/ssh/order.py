"""How one command travels to a host: as a text that the shell there reads whole, or not at all.

The command line there is small and always the same; the argv comes over the standard input, each
word quoted. So a word may be as long as the kernel allows, what is in it is never read by a shell,
and of an order that arrives cut off nothing is run: its brace is missing.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import timedelta

KILL_AFTER = timedelta(seconds=1)

# What is left of the session goes with the command, also what made itself a group. After a command
# that ended by itself it has a moment first: a server that goes into the background needs it to
# begin a session of its own.
_AROUND = """\
command -v timeout >/dev/null && command -v setsid >/dev/null || {{ echo {missing} >&2; exit 127; }}
left() {{
for s in /proc/[0-9]*/stat; do
read -r l 2>/dev/null <"$s" || continue
set -- ${{l##*) }}
[ "$4" = $p ] && [ "$1" != Z ] && {{ n=${{s#/proc/}}; echo "${{n%/stat}}"; }}
done
}}
exec 3<&0
LC_ALL=C setsid timeout -k {kill} {limit} sh -s <&3 3<&- & p=$!
exec 3<&-
wait $p; c=$?
case $c in 124|137) ;; *) [ -z "$(left)" ] || sleep 1 ;; esac
kill -s KILL -- -$p 2>/dev/null
for n in $(left); do kill -s KILL "$n" 2>/dev/null; done
exit $c"""


def around(deadline: timedelta, missing: str) -> str:
    """The command line: it waits for an order, and ends all that comes of it at the deadline."""
    return _AROUND.format(
        missing=shlex.quote(missing),
        kill=KILL_AFTER.seconds,
        limit=f"{max(deadline.total_seconds(), 0.1):g}",
    )


def order(argv: Sequence[str], *, quiet: bool) -> bytes:
    """What is sent to it. `quiet` leaves out what the command complains of."""
    complaints = "/dev/null" if quiet else "&1"
    return f"{{ exec {shlex.join(argv)} </dev/null 2>{complaints}; }}\n".encode(
        errors="surrogateescape"
    )


class Ends:
    """The beginning and the end of what was said, and that something between them is missing."""

    def __init__(self, kept: int) -> None:
        self._half = kept // 2
        self._first = bytearray()
        self._last = bytearray()
        self._lost = 0

    def take(self, chunk: bytes) -> None:
        """More of it."""
        room = self._half - len(self._first)
        self._first += chunk[:room]
        self._last += chunk[room:] if room > 0 else chunk
        over = len(self._last) - self._half
        if over > 0:
            del self._last[:over]
            self._lost += over

    @property
    def kept(self) -> bytes:
        """What is left of it."""
        gap = f"\n[... {self._lost} bytes ...]\n".encode() if self._lost else b""
        return bytes(self._first) + gap + bytes(self._last)
