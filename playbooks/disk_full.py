"""Disk full: win back space that nobody will miss, where there is some on that filesystem.

Touches the journal of systemd and the packages that apt keeps; never what users or backups own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from opsd.catalogue import Size
from opsd.config.playbooks import DiskFullOptions
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

CAUSES = frozenset({"filesystem_full", "filling_fast"})
JOURNAL, PACKAGES = "/var/log/journal", "/var/cache/apt/archives"
_WORTH_KIB = 50 << 10
_ACTIVE_KIB = 128 << 10  # what journald writes to at the moment stays
_STILL_FULL = 75  # percent in use below which nothing needs to be done any more

# Where each lies, how much it is in KiB, and for people what is largest on the full filesystem.
_LOOK = """
for d in {places}; do
  size=$(du -sk -- "$d" 2>/dev/null | cut -f 1)
  point=$(df -P -- "$d" 2>/dev/null | awk 'NR==2 {{print $6}}')
  printf '%s %s %s\\n' "$d" "$size" "$point"
done
echo
timeout -k 1 8 du -xk --max-depth=2 -- {full} 2>/dev/null | sort -rn | head -n 12
"""
# What was removed and is still open somewhere takes room that nobody sees.
_HELD = """
find /proc/[0-9]*/fd -lname {full}'*(deleted)' -printf '%s %p %l\\n' 2>/dev/null | head -n 20
"""


@dataclass(frozen=True, slots=True)
class DiskFull:
    """Answers a filesystem that is full or will be within hours."""

    options: DiskFullOptions

    @property
    def terms(self) -> Terms:
        """Journals and packages can be spared without asking anybody."""
        return self.options.terms(
            Answers({"filesystems": CAUSES}), ((*self._vacuum,), ("/usr/bin/apt-get", "clean"))
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What lies there that can be spared, and what is large."""
        script = _LOOK.format(
            places=shlex.join((JOURNAL, PACKAGES)), full=shlex.quote(subject(found))
        )
        held = _HELD.format(full=shlex.quote(subject(found)))
        scripts = {"spared": script, "held_open": held, "files": "df -Pi 2>/dev/null"}
        return asks(found.host, scripts, timedelta(seconds=10)) if found.host else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """What is worth it goes; without any a person must find what is large."""
        answer = facts.answer(found.host, "spared")
        told, _, largest = answer.text.partition("\n\n")
        spared = {
            words[0]: int(words[1])
            for line in told.splitlines()
            if len(words := line.split(" ")) == 3
            and words[1].isdigit()
            and words[2] == subject(found)
        }
        told_besides = attached(facts, found.host, ("held_open", "files"))
        told_besides |= {"largest": largest} if largest else {}
        steps = tuple(self._steps(found, spared))
        bytes_ = Size(sum(spared.values()) << 10)
        key = "playbook.disk_full.spared" if steps else "playbook.disk_full.nothing"
        return Plan((say(key, point=subject(found), bytes=bytes_),), steps, told_besides)

    @property
    def _vacuum(self) -> tuple[str, str]:
        return ("/usr/bin/journalctl", f"--vacuum-size={self.options.keep_journal >> 20}M")

    def _steps(self, found: Occasion, spared: dict[str, int]) -> Iterator[Step]:
        still = Condition(("df", "--output=pcent", "--", subject(found)), at_least=_STILL_FULL)
        keep = self.options.keep_journal >> 10
        if spared.get(JOURNAL, 0) > keep + _ACTIVE_KIB + _WORTH_KIB:
            yield Step(
                "shrink_journal",
                say("playbook.disk_full.shrink_journal", keep=self.options.keep_journal),
                Effect.CHANGE,
                found.host,
                self._vacuum,
                privileged=True,
                requires=(still,),
                done=Condition(("du", "-sk", "--", JOURNAL), at_most=keep + _ACTIVE_KIB),
                repeatable=True,
            )
        if spared.get(PACKAGES, 0) > _WORTH_KIB:
            yield Step(
                "clean_packages",
                say("playbook.disk_full.clean_packages"),
                Effect.CHANGE,
                found.host,
                ("/usr/bin/apt-get", "clean"),
                privileged=True,
                requires=(still,),
                done=Condition(("du", "-sk", "--", PACKAGES), at_most=1024),
                repeatable=True,
            )
