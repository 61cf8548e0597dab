"""Many reads as one script for a POSIX shell, and what it printed as answers.

Reads run side by side in subshells; each prints its answer in one piece, whose length stands before
it. Two pipes that the script opens for itself carry the right to print, and the news that a read
has ended or that time is up; so nothing is written to a disk there, nothing waits for a read that
hangs in the kernel, and no program but the reads' own, `date` and `sleep` is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from shlex import quote

from opsd.check import Answer, Read

MOST_BYTES = 1 << 18
"""What one read may say; of more the beginning is kept, and it counts as ended."""

_MEMORY_KIB = 1 << 15  # of the shell that holds an answer: what never ends is not kept whole

# r NUMBER GROUP SCRIPT: the answer, in the background. What it complains of is not the answer.
_READER = """\
r() {{
(
ulimit -S -v {memory}
o=$(exec 2>/dev/null 3>&- 4>&-; ulimit -S -v unlimited; eval "$3")
c=$?
read -r _ <&3
printf '%s %s %s %s\\n%.{most}s\\n' "$N" "$1" "$c" "${{#o}}" "$o"
echo >&3
echo "$2" >&4
) 2>/dev/null &
}}
"""
# w GROUP SECONDS: says after so long that the time of a group is up.
_WATCH = """\
w() {
( trap 'kill $s' TERM; sleep "$2" & s=$!; wait $s && echo "$1" >&4 ) >/dev/null 2>&1 &
W="$W $!"
}
"""
_FRAME = """\
N={nonce} W= late= LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
echo | {{
exec 3<>/proc/self/fd/0 </dev/null
: | {{
exec 4<>/proc/self/fd/0 </dev/null
read -r u _ </proc/uptime
d=$(date +%s.%N)
read -r v _ </proc/uptime
printf '%s begin %s %s %s\\n' "$N" "$d" "$u" "$v"
{functions}{counts}
{watches}
{reads}
while [ $(({sum})) -gt 0 ]; do
read -r x <&4
case $x in
{cases}
esac
done
read -r _ <&3
read -r u _ </proc/uptime
printf '%s end %s\\n' "$N" "$u"
[ -z "$late" ] || kill -KILL 0
kill $W 2>/dev/null
}}
}}
"""

_BEGUN = re.compile(rb"^(\S+) begin (\S+) (\S+) (\S+)\n", re.MULTILINE)
_FRAMED = re.compile(rb"(\S+) (\d{1,9}) (\d{1,9}) (\d{1,12})\n")
_ENDED = re.compile(rb"(\S+) end (\S+)\n")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a script printed: answers by the names of their reads, and the clock of its host.

    `at` is what the host took for the time when the script began, `within` how finely it told it,
    `lasted` how long the script took there; nothing where the end is missing.
    """

    answers: dict[str, Answer]
    at: datetime | None
    within: timedelta
    lasted: timedelta | None


def merged(reads: Sequence[Read]) -> tuple[Read, ...]:
    """Each read once. Raises `ValueError` when two of one name ask different things."""
    found: dict[str, Read] = {}
    for read in reads:
        known = found.setdefault(read.name, read)
        if known.script != read.script:
            raise ValueError(f"two reads are named {read.name}")
        if read.timeout > known.timeout:
            found[read.name] = read
    return tuple(found.values())


def compose(reads: Sequence[Read], nonce: str) -> str:
    """The script that asks everything. Its last line follows when the last read has ended."""
    limits = sorted({read.timeout for read in reads})
    groups = {limit: f"g{number}" for number, limit in enumerate(limits)}
    members = [groups[read.timeout] for read in reads]
    return _FRAME.format(
        nonce=nonce,
        functions=_READER.format(memory=_MEMORY_KIB, most=MOST_BYTES) + _WATCH,
        counts=" ".join(f"{group}={members.count(group)}" for group in groups.values()),
        watches="\n".join(
            f"w late_{group} {limit.total_seconds():g}" for limit, group in groups.items()
        ),
        reads="\n".join(
            f"r {number} {group} {quote(read.script)}"
            for number, (read, group) in enumerate(zip(reads, members, strict=True))
        ),
        sum=" + ".join(("0", *groups.values())),
        cases="\n".join(_cases(group) for group in groups.values()),
    )


def _cases(group: str) -> str:
    """What the news of a group means; a read that ends after its time changes nothing."""
    return (
        f"{group}) [ ${group} -le 0 ] || {group}=$(({group} - 1)) ;;\n"
        f"late_{group}) [ ${group} -le 0 ] || late=1; {group}=0 ;;"
    )


def parse(text: str, reads: Sequence[Read], nonce: str) -> Printed | None:
    """The answers; nothing when the script did not even begin. A read without answer was ended."""
    printed = text.encode(errors="surrogateescape")
    mark = nonce.encode()
    begun = next((one for one in _BEGUN.finditer(printed) if one[1] == mark), None)
    if begun is None:
        return None
    answers = {read.name: Answer("", None) for read in reads}
    position = begun.end()
    while (found := _FRAMED.match(printed, position)) and found[1] == mark:
        number, code, length = (int(one) for one in found.groups()[1:])
        end = found.end() + min(length, MOST_BYTES)
        said = printed[found.end() : end]
        if number >= len(reads) or printed[end : end + 1] != b"\n":
            break
        whole = length <= MOST_BYTES
        answers[reads[number].name] = Answer(
            said.decode(errors="backslashreplace") + ("\n" if said else ""), code if whole else None
        )
        position = end + 1
    ended = _ENDED.match(printed, position)
    at, within = _moment(begun[2])
    within += _lasted(begun[3], begun[4]) or timedelta()  # a busy host may take long to say it
    lasted = _lasted(begun[3], ended[2]) if ended and ended[1] == mark else None
    return Printed(answers, at, within, lasted)


def _moment(said: bytes) -> tuple[datetime | None, timedelta]:
    """A moment as `date +%s.%N` tells it; some know no fractions."""
    found = re.match(rb"(\d{1,11})(\.\d+)?", said)
    if found is None:
        return None, timedelta()
    fraction = float(found[2]) if found[2] else 0.5
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(found[1]) + fraction)
    return moment, timedelta(milliseconds=10) if found[2] else timedelta(seconds=0.5)


def _lasted(before: bytes, after: bytes) -> timedelta | None:
    try:
        return max(timedelta(), timedelta(seconds=float(after) - float(before)))
    except (ValueError, OverflowError):
        return None
