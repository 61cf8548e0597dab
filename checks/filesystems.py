"""Filesystems: is there room, until when does it last, and does it answer at all?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from opsd.catalogue import Size
from opsd.check import Answer, Plain, Read, Remembered, Round, Sample, unreadable
from opsd.config.disks import FilesystemsOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy import forecast
from opsd.policy.thresholds import at_most

# Nothing that anybody stores files on, or that is full by its nature.
PSEUDO = (
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs "
    "fuse.lxcfs fuse.portal fuse.snapfuse fuse.gvfsd-fuse fusectl hugetlbfs "
    "iso9660 mqueue nsfs overlay proc pstore ramfs rpc_pipefs securityfs selinuxfs "
    "squashfs sysfs tracefs udf"
)
PLACES = ("/dev", "/proc", "/sys", "/run/credentials", "/run/user", "/run/netns", "/snap")
# What can keep somebody who asks waiting for ever: the answer comes from elsewhere.
FAR = r"nfs*|cifs|smb*|fuse*|ceph|9p|afs|gfs2|ocfs2|glusterfs|beegfs|lustre|virtiofs|davfs"

# One `stat` asks all that is near. What is far is asked one by one, all at the same time, through a
# pipe of its own, so that a `stat` that cannot even be killed holds up nothing, and is not asked
# again while it still hangs. A number stands for the line of /proc/mounts that is told with it.
SCRIPT = r"""
pseudo=' @PSEUDO@ ' n=0 near= points=
set --
say='%S %b %f %a %c %d'
ask() { timeout -k 1 @LIMIT@ stat -f -c "$say" -- "$1"; }
hangs() {
  for c in /proc/[0-9]*/comm; do
    read -r name 2>/dev/null <"$c" || continue
    [ "$name" = stat ] || continue
    case $(tr '\0' ' ' 2>/dev/null <"${c%comm}cmdline") in *" -- $1 ") return 0 ;; esac
  done
  return 1
}
far() {
  if hangs "$2"; then echo "? $1 hangs"; return; fi
  a=$( { ask "$2" 2>&1 & } | timeout -k 1 @LIMIT@.5 head -n 1)
  printf '%s\n' "? $1 ${a:-hangs}"
}
while read -r device point type options rest; do
  case $pseudo in *" $type "*) continue ;; esac
  n=$((n + 1))
  printf '%s\n' "= $n $device $point $type $options"
  case $point in *\\*) point=$(printf '%b' "$point") ;; esac
  case $type in
    @FAR@) far $n "$point" & ;;
    *) near="$near $n" points=1; set -- "$@" "$point" ;;
  esac
done </proc/mounts
if [ -n "$points" ]; then
  if all=$(timeout -k 1 @LIMIT@ stat -f -c "$say" -- "$@" 2>/dev/null); then
    echo "$all" | for i in $near; do read -r a; echo "? $i $a"; done
  else
    for i in $near; do far $i "$1" & shift; done
    wait
  fi
fi
wait
"""

_NUMBERS = re.compile(r"(\d+) (\d+) (\d+) (\d+) (\d+) (\d+)")
_OCTAL = re.compile(r"\\(\d{3})")
_HISTORY = timedelta(days=28)
_FAST = timedelta(minutes=30)
_FAST_FIGURES = 5
_MEMORY = timedelta(days=7)  # how long a filesystem counts as one that could be written to
_FAR_OFF = timedelta(days=365)
USED, READONLY = "opsd_host_filesystem_used_bytes", "opsd_host_filesystem_readonly"
HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class Mount:
    """A filesystem as it is mounted; `room` is nothing where it does not answer."""

    device: str
    point: str
    kind: str
    options: frozenset[str]
    room: Room | None = None
    why: str = ""

    @property
    def readonly(self) -> bool:
        """Whether nothing can be written to it, because somebody or the kernel said so."""
        return bool(self.options & {"ro", "emergency_ro"})


@dataclass(frozen=True, slots=True)
class Room:
    """What `df` would say, in bytes and inodes."""

    size: int
    free: int
    avail: int
    files: int
    files_free: int

    @property
    def used(self) -> int:
        """What lies on it."""
        return self.size - self.free

    @property
    def capacity(self) -> int:
        """What can lie on it, unless one is root."""
        return self.used + self.avail

    @property
    def free_part(self) -> float:
        """The part of the capacity that is free: 1 minus df's `Use%`."""
        return self.avail / self.capacity if self.capacity else 1.0

    @property
    def files_free_part(self) -> float:
        """The part of the inodes that is free; all, where there is no limit."""
        return self.files_free / self.files if self.files else 1.0


@dataclass(frozen=True, slots=True)
class Filesystems(Plain):
    """Judges each mount point. Forecasts are made every ten minutes and kept in between."""

    options: FilesystemsOptions
    kept: ClassVar[Mapping[str, timedelta]] = {
        USED: timedelta(minutes=2),
        READONLY: timedelta(hours=1),
    }
    _forecasts: Remembered[datetime | None] = field(
        default_factory=lambda: Remembered(timedelta(minutes=10)), compare=False, repr=False
    )
    _growths: Remembered[float | None] = field(
        default_factory=lambda: Remembered(timedelta(minutes=1)), compare=False, repr=False
    )

    def reads(self) -> tuple[Read, ...]:
        """What is mounted, and `stat` of each."""
        limit = max(1, round(self.options.timeout.total_seconds()))
        script = SCRIPT.replace("@PSEUDO@", PSEUDO).replace("@FAR@", FAR)
        return (
            Read(
                "filesystems",
                script.replace("@LIMIT@", str(limit)),
                2 * self.options.timeout + timedelta(seconds=4),
            ),
        )

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a mount point, and one for each that should be there."""
        (read,) = self.reads()
        answer = found.seen.answers[read.name]
        mounts = {mount.point: mount for mount in self._watched(parse(answer))}
        if not answer.good or not answer.text.startswith("= "):
            return (unreadable(read, answer),)
        missing = [str(point) for point in self.options.required if str(point) not in mounts]
        return (
            *(self._judge(found, mount) for mount in mounts.values()),
            *(_bad("not_mounted", point) for point in missing),
        )

    def _watched(self, mounts: Iterator[Mount]) -> Iterator[Mount]:
        """Each filesystem once, at its shortest mount point, without what is left out."""
        left_out = (*PLACES, *map(str, self.options.exclude))
        wanted = {str(point) for point in self.options.required}
        seen: set[str] = set()
        for mount in sorted(mounts, key=lambda m: (m.point not in wanted, len(m.point), m.point)):
            again = mount.device.startswith("/") and mount.device in seen
            below = any(mount.point == o or mount.point.startswith(f"{o}/") for o in left_out)
            if mount.point in wanted or not (again or below):
                seen.add(mount.device)
                yield mount

    def _judge(self, found: Round, mount: Mount) -> CheckResult:
        room = mount.room
        if room is None:
            return self._silent(mount)
        full = self._full_at(found, mount, room)
        fast = self._fast(found, mount, room)
        status, cause = self._verdict(found, mount, room, (full, fast))
        when = fast if cause == "filling_fast" else full
        fields: dict[str, object] = {
            "point": mount.point,
            "avail": Size(room.avail),
            "percent": 100 * room.free_part,
            "files_percent": 100 * room.files_free_part,
            "left": max(timedelta(), (when or found.seen.at) - found.seen.at),
        }
        return CheckResult(
            status,
            f"check.filesystems.{cause or 'room'}",
            fields,
            cause=cause,
            subject=mount.point,
            measurements=_measured(mount, room, full),
        )

    def _verdict(
        self,
        found: Round,
        mount: Mount,
        room: Room,
        dates: tuple[datetime | None, datetime | None],
    ) -> tuple[Status, str]:
        """The ladder: what is broken, what is full, what will be."""
        if mount.readonly:
            broken = "emergency_ro" in mount.options or self._was_writable(found, mount)
            return (Status.CRITICAL, "readonly") if broken else (Status.OK, "")
        own, now = self.options, found.seen.at
        tiers = (
            (at_most(room.free_part, own.free_warning, own.free_critical), "filesystem_full"),
            (at_most(room.files_free_part, own.free_warning, own.free_critical), "inodes_full"),
            (_soon(dates[1], now, own.fast_warning, own.fast_critical), "filling_fast"),
            (_soon(dates[0], now, own.full_within_warning, own.full_within_critical), "filling"),
        )
        # A forecast is a worry only below the floor.
        counted = tiers if room.free_part <= own.floor else tiers[:2]
        status, cause = max(counted, key=lambda tier: tier[0])
        return status, cause if status is not Status.OK else ""

    def _silent(self, mount: Mount) -> CheckResult:
        """A filesystem that says nothing, or only that something is wrong with it."""
        forbidden = "ermission denied" in mount.why
        cause = "mount_hangs" if mount.why == HANGS else "mount_fails"
        return CheckResult(
            Status.UNKNOWN if forbidden else Status.CRITICAL,
            f"check.filesystems.{cause}",
            {"point": mount.point, "device": mount.device},
            "" if mount.why == HANGS else mount.why,
            cause,
            mount.point,
            (_of(mount, "device_error", 1), _of(mount, "readonly", mount.readonly)),
        )

    def _was_writable(self, found: Round, mount: Mount) -> bool:
        history = found.history.series(READONLY, {"mountpoint": mount.point}, _MEMORY)
        before = _before(found, mount.point)
        return any(not sample.value for sample in history) or bool(before and not before.readonly)

    def _full_at(self, found: Round, mount: Mount, room: Room) -> datetime | None:
        """When weeks have shown that it will be full."""
        now = found.seen.at

        def work() -> datetime | None:
            past = found.history.series(USED, {"mountpoint": mount.point}, _HISTORY)
            return forecast.full_at([*past, Sample(now, room.used)], room.capacity, now)

        return self._forecasts.get((found.host, mount.point), now, work)

    def _fast(self, found: Round, mount: Mount, room: Room) -> datetime | None:
        """When it will be full if it grows as in the last half hour."""
        now = found.seen.at

        def work() -> float | None:
            past = found.history.series(USED, {"mountpoint": mount.point}, _FAST)
            enough = len(past) >= _FAST_FIGURES
            return forecast.rate([*past, Sample(now, room.used)]) if enough else None

        growth = self._growths.get((found.host, mount.point), now, work)
        if growth is None or growth <= 0 or room.avail / growth > _FAR_OFF.total_seconds():
            return None
        return now + timedelta(seconds=room.avail / growth)


def _bad(cause: str, point: str) -> CheckResult:
    return CheckResult(
        Status.CRITICAL, f"check.filesystems.{cause}", {"point": point}, cause=cause, subject=point
    )


def _soon(full: datetime | None, now: datetime, warning: timedelta, critical: timedelta) -> Status:
    if full is None:
        return Status.OK
    left = (full - now).total_seconds()
    return at_most(left, warning.total_seconds(), critical.total_seconds())


def _before(found: Round, point: str) -> Mount | None:
    answer = found.before.answers.get("filesystems") if found.before else None
    return next((mount for mount in parse(answer or Answer("")) if mount.point == point), None)


def parse(answer: Answer) -> Iterator[Mount]:
    """The mounts of an answer; of two on one place the later, which lies on top."""
    lines: dict[str, list[str]] = {}
    figures: dict[str, str] = {}
    for line in answer.text.splitlines():
        mark, number, rest = ([*line.split(" ", 2), "", ""])[:3]
        if mark == "=" and len(words := rest.split(" ")) == 4:
            lines[number] = words
        elif mark == "?":
            figures[number] = rest
    top = {words[1]: number for number, words in lines.items()}
    for point, number in top.items():
        device, _, kind, options = lines[number]
        numbers = _NUMBERS.fullmatch(said := figures.get(number, HANGS))
        yield Mount(
            device=_plain(device),
            point=_plain(point),
            kind=kind,
            options=frozenset(options.split(",")),
            room=_room(numbers) if numbers else None,
            why="" if numbers else said,
        )


def _room(numbers: re.Match[str]) -> Room:
    block, size, free, avail, files, files_free = (int(number) for number in numbers.groups())
    return Room(size * block, free * block, avail * block, files, files_free)


def _plain(text: str) -> str:
    """A name as it is: /proc/mounts writes spaces and the like as octal numbers."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _of(mount: Mount, what: str, value: float) -> Measurement:
    return Measurement(f"opsd_host_filesystem_{what}", value, {"mountpoint": mount.point})


def _measured(mount: Mount, room: Room, full: datetime | None) -> tuple[Measurement, ...]:
    facts = {"mountpoint": mount.point, "device": mount.device, "fstype": mount.kind}
    predicted = (
        () if full is None else (_of(mount, "full_predicted_timestamp_seconds", full.timestamp()),)
    )
    return (
        _of(mount, "size_bytes", room.size),
        _of(mount, "free_bytes", room.free),
        _of(mount, "avail_bytes", room.avail),
        _of(mount, "used_bytes", room.used),
        _of(mount, "files", room.files),
        _of(mount, "files_free", room.files_free),
        _of(mount, "readonly", mount.readonly),
        _of(mount, "device_error", 0),
        Measurement("opsd_host_filesystem_info", 1, facts),
        *predicted,
    )
