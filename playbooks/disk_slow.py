"""Disk slow: who reads and writes, whether an array is being rebuilt; what can wait does.

Touches the priority of programs that the site named; never ends one, never touches a disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import DiskSlowOptions
from opsd.playbook import (
    Answers,
    Condition,
    Effect,
    Facts,
    Occasion,
    Plan,
    Question,
    Step,
    Terms,
    say,
)
from playbooks.looking import asks, attached, subject

CAUSES = {"disk_slow", "disk_stuck", "io_pressure"}
# Two looks at what each process read and wrote, two seconds apart; one program a look: a busy host
# has thousands of processes.
_WHO = r"""
look() { grep -HE '^(read|write)_bytes' /proc/[0-9]*/io 2>/dev/null; }
{ look; echo; sleep 2; look; } | awk '
  !NF {second=1; next}
  {split($1, at, "/")}
  !second {was[at[3]]+=$2; next}
  {is[at[3]]+=$2}
  END {for (id in is) if (is[id] > was[id]) printf "%s %.0f\n", id, is[id] - was[id]}' |
sort -k 2 -rn | head -n 12 | while read -r id moved; do
  read -r name <"/proc/$id/comm" && echo "$id $moved $name"
done 2>/dev/null
"""
_SCRIPTS = {
    "writers": _WHO,
    "rebuilding": "grep -E 'recovery|resync|check|reshape' /proc/mdstat 2>/dev/null",
    "pressure": "cat /proc/pressure/io 2>/dev/null",
    "errors": "dmesg 2>/dev/null | grep -E 'I/O error|ata[0-9.]+:|nvme|blk_update' | tail -n 20",
}
_WORTH = 2 << 20  # bytes moved in two seconds
_MOST = 5
_LINE = re.compile(r"(\d+) (\d+) (.*)")


@dataclass(frozen=True, slots=True)
class DiskSlow:
    """Answers a disk that makes others wait."""

    options: DiskSlowOptions

    @property
    def terms(self) -> Terms:
        """A priority is taken back with a word."""
        return self.options.terms(
            Answers({"disk_latency": frozenset(CAUSES), "disk_speed": frozenset()}),
            (
                ("/usr/bin/ionice", "-c", "3", "-p", r"^[0-9]+$"),
                ("/usr/bin/ionice", "-c", "2", "-n", "4", "-p", r"^[0-9]+$"),
            ),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Who is at it, and what the kernel says."""
        return asks(found.host, _SCRIPTS, timedelta(seconds=15)) if found.host else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """What can wait does; anything else is a person's."""
        told = attached(facts, found.host, _SCRIPTS)
        busy = list(_busy(facts.answer(found.host, "writers").text))
        waiting = [one for one in busy if one[2] in self.options.can_wait][:_MOST]
        steps = tuple(_idle(found.host, pid, name) for pid, _, name in waiting)
        fields = {"subject": subject(found) or "-", "names": [name for _, _, name in busy[:_MOST]]}
        said = [say("playbook.disk_slow.who" if busy else "playbook.disk_slow.nobody", **fields)]
        if told.get("rebuilding"):
            said.append(say("playbook.disk_slow.rebuilding"))
        if told.get("errors"):
            said.append(say("playbook.disk_slow.errors"))
        return Plan(tuple(said), steps, told)


def _busy(text: str) -> Iterator[tuple[str, int, str]]:
    """Who moved how much, the busiest first; what a process calls itself is anything."""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found and int(found[2]) >= _WORTH:
            yield found[1], int(found[2]), found[3]


def _idle(host: str, pid: str, name: str) -> Step:
    """Still the same program under that number, and then it waits for all others."""
    same = Condition(("cat", f"/proc/{pid}/comm"), equals=name)
    return Step(
        f"let_wait_{pid}",
        say("playbook.disk_slow.let_wait", name=name, pid=pid),
        Effect.CHANGE,
        host,
        ("/usr/bin/ionice", "-c", "3", "-p", pid),
        privileged=True,
        requires=(same,),
        done=Condition(("ionice", "-p", pid), matches="idle.*"),
        undo=("/usr/bin/ionice", "-c", "2", "-n", "4", "-p", pid),
        repeatable=True,
        timeout=timedelta(seconds=10),
    )
