"""Disk speed: how fast does a volume read and write, against what is usual for it?

A probe of three seconds: it writes at most 64 MiB to a file that has no name any more when the
writing begins, reads them, reads single blocks of 4 KiB here and there, and writes some with
fdatasync, all past the cache. It does not begin where it would disturb: see `SCRIPT`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from opsd.catalogue import Size
from opsd.check import Answer, Plain, Read, Round
from opsd.config.disks import DiskSpeedOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.baseline import Baseline, compare
from opsd.policy.thresholds import at_least, at_most

SKIPS: Final = ("window", "backup", "pressure", "free_space")
FAILURES: Final = ("fio_missing", "volume_gone", "probe_failed", "disk_stalls")

SCRIPT = r"""
PATH=$PATH:/usr/sbin:/sbin at=@PATH@ begins=@BEGINS@ ends=@ENDS@
command -v fio >/dev/null || { echo 'failed fio_missing'; exit 0; }
[ -d "$at" ] && [ -w "$at" ] || { echo 'failed volume_gone'; exit 0; }
# The disks that the volume lies on, as the kernel names them: what they lie on, too.
disks() {
  set -- "$(readlink -f "/sys/class/block/$1")"
  [ ! -e "$1/partition" ] || set -- "${1%/*}"
  [ ! -d "$1" ] || printf ' %s' "${1##*/}"
  for below in "$1"/slaves/*; do [ ! -e "$below" ] || (disks "${below##*/}"); done
}
device=$(df -P -- "$at" | tail -n 1)
device=$(readlink -f -- "${device%% *}")
echo "disks$(disks "${device##*/}")"
if [ -n "$begins" ]; then
  now=$(date +%H:%M) h=${now%:*} m=${now#*:}
  now=$((${h#0} * 60 + ${m#0}))
  if [ "$begins" -lt "$ends" ]
  then [ $now -ge "$begins" ] && [ $now -lt "$ends" ]
  else [ $now -ge "$begins" ] || [ $now -lt "$ends" ]
  fi || { echo 'skipped window'; exit 0; }
fi
for c in /proc/[0-9]*/comm; do
  read -r name 2>/dev/null <"$c" || continue
  case ' '@BUSY@' ' in *" $name "*) echo 'skipped backup'; exit 0 ;; esac
done
if [ -r /proc/pressure/io ]; then
  while read -r kind full rest; do :; [ "$kind" != full ] || pressure=${full#avg10=}; done \
    2>/dev/null </proc/pressure/io
  [ "${pressure%.*}${pressure#*.}" -le @PRESSURE@ ] 2>/dev/null ||
    { [ -z "$pressure" ] || { echo 'skipped pressure'; exit 0; }; }
fi
set -- $(stat -f -c '%S %a' -- "$at")
[ $(($1 * $2)) -ge @FREE@ ] || { echo 'skipped free_space'; exit 0; }

own=$(mktemp -d "$at/.opsd-probe.XXXXXX") && exec 9<>"$own/file" || own=
[ -z "$own" ] || rm -rf "$own"
[ -n "$own" ] || { echo 'failed volume_gone'; exit 0; }
# What is in the kernel's hands cannot be killed: the pipe's other end does not wait for it.
within() {
  limit=$1; shift
  { timeout -s KILL "$limit" "$@" 2>&1 & } | timeout -s KILL "$limit" cat
}
probe() {
  limit=$1; shift
  said=$(within "$limit" fio --output-format=json --thread --filename=/proc/self/fd/9 --direct=1 \
    --ioengine=libaio --fallocate=none --norandommap --clocksource=clock_gettime \
    --percentile_list=50:99 "$@")
  printf 'fio %s\n' "$(printf %s "$said" | tr -d ' \t\n')"
}
probe 2.2 --size=64m --create_on_open=1 \
  --name=write --rw=write --bs=256k --iodepth=2 --runtime=600ms
written=$(($(stat -Lc %s /proc/self/fd/9) / 262144 * 262144))
if [ $written -eq 0 ]; then # was it the disk? One block will show
  case $(within 1 dd if=/dev/zero of=/proc/self/fd/9 bs=4k count=1 oflag=direct) in
    *copied*) ;;
    *) echo 'failed disk_stalls' ;;
  esac
  exit 0
fi
probe 2.7 --size=$written \
  --name=read --rw=read --bs=256k --iodepth=2 --runtime=600ms \
  --name=random --stonewall --rw=randread --bs=4k --iodepth=1 \
    --time_based --runtime=400ms --rate_iops=20000 \
  --name=sync --stonewall --rw=randwrite --bs=4k --iodepth=1 --fdatasync=1 \
    --time_based --runtime=400ms --rate_iops=200
"""

_ALL = timedelta(days=400)
_FOR_ALL = timedelta(seconds=12)
_METRIC = "opsd_disk_probe_"
RUNS, FAILED, SKIPPED = (f"{_METRIC}{what}_total" for what in ("runs", "run_failures", "skips"))
# Each figure: what a fall (or a rise) of it is called; nothing where it is only told.
SPEEDS: Final = {"read_bytes_per_second": "reads_slower", "write_bytes_per_second": "writes_slower"}
WAITS: Final = {
    "read_latency_median_seconds": "read_latency_worse",
    "fsync_latency_median_seconds": "fsync_slower",
}
_FALLS: Final = {**SPEEDS, **WAITS}
_JUST_NOW, _LATELY = 3, 5  # probes
TOLD: Final = ("read_latency_p99_seconds", "fsync_latency_p99_seconds")
FIGURES: Final = (*SPEEDS, *WAITS, *TOLD)
BASELINES: Final = (*SPEEDS, *WAITS, "fsync_latency_p99_seconds")


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of one probe: figures, or the reason why there are none; and of which disks."""

    figures: Mapping[str, float] | None = None
    skipped: str = ""
    failed: str = ""
    detail: str = ""
    disks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Past:
    """The figures of the earlier probes, oldest first."""

    figures: Mapping[str, Sequence[float]]
    newest: datetime | None

    def __getitem__(self, figure: str) -> Sequence[float]:
        return self.figures[figure]


@dataclass(frozen=True, slots=True)
class DiskSpeed(Plain):
    """Judges the last probes of each volume by the older half of all."""

    options: DiskSpeedOptions
    kept: ClassVar[Mapping[str, timedelta]] = {
        **{f"{_METRIC}{figure}": timedelta() for figure in FIGURES},
        **{counter: timedelta() for counter in (RUNS, FAILED, SKIPPED)},
    }
    disturbed_by: ClassVar[frozenset[str]] = frozenset({"backup"})
    alone: ClassVar[bool] = True

    def reads(self) -> tuple[Read, ...]:
        """One probe a volume."""
        return tuple(
            Read(f"disk_speed.{name}", self._script(str(path)), _FOR_ALL)
            for name, path in self.options.volumes.items()
        )

    def _script(self, path: str) -> str:
        own = self.options
        begins, ends = own.window.minutes if own.window else ("''", "''")
        values = {
            "@PATH@": shlex.quote(path),
            "@BEGINS@": begins,
            "@ENDS@": ends,
            "@BUSY@": shlex.quote(" ".join(own.busy)),
            "@PRESSURE@": round(own.max_pressure * 10_000),
            "@FREE@": int(own.min_free),
        }
        script = SCRIPT
        for name, value in values.items():
            script = script.replace(name, str(value))
        return script

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a volume."""
        return tuple(
            self._judged(found, name, parse(found.seen.answers[f"disk_speed.{name}"]))
            for name in self.options.volumes
        )

    def _judged(self, found: Round, volume: str, probe: Probe) -> CheckResult:
        past = _past(found, volume, probe)
        usual = {figure: compare(past[figure], _LATELY) for figure in FIGURES}
        status, cause = self._verdict(probe, past, found.seen.at)
        told = _word(probe, cause, known=usual["write_bytes_per_second"] is not None)
        return CheckResult(
            status,
            f"check.disk_speed.{told}",
            _fields(volume, past, usual.get(_FIGURE_OF.get(cause, ""))),
            probe.detail,
            cause,
            volume,
            (*_counted(found, volume, probe), *_measured(volume, probe, past, usual)),
            probe.disks,
        )

    def _verdict(self, probe: Probe, past: Past, now: datetime) -> tuple[Status, str]:
        """What fails is told first; a probe that was skipped changes nothing for a while."""
        if probe.failed:
            stalls = probe.failed == "disk_stalls"
            return Status.CRITICAL if stalls else Status.UNKNOWN, probe.failed
        if past.newest is None or now - past.newest > self.options.patience:
            return Status.UNKNOWN, "not_measured"
        return max(self._against(past), key=lambda one: one[0], default=(Status.OK, ""))

    def _against(self, past: Past) -> Iterator[tuple[Status, str]]:
        """What is worse than usual by more than the scatter explains.

        What is much worse shows in the last three probes, what is somewhat worse in the last five.
        """
        own = self.options
        for figure, cause in _FALLS.items():
            for recent in (_JUST_NOW, _LATELY):
                base = compare(past[figure], recent)
                if base is None or not base.differs():
                    continue
                if figure in SPEEDS:
                    status = at_most(base.ratio, 1 - own.drop_warning, 1 - own.drop_critical)
                else:
                    status = at_least(base.ratio, own.slower_warning, own.slower_critical)
                if status is Status.CRITICAL or (recent == _LATELY and status is not Status.OK):
                    yield status, cause


_FIGURE_OF: Final = {cause: figure for figure, cause in _FALLS.items()}


def parse(answer: Answer) -> Probe:
    """What the script said."""
    lines = answer.text.splitlines()
    disks = frozenset(name for line in lines for name in _told_disks(line))
    if answer.exit_code is None:
        return Probe(failed="disk_stalls", disks=disks)
    for line in lines:
        word, _, reason = line.partition(" ")
        if word == "skipped" and reason in SKIPS:
            return Probe(skipped=reason, disks=disks)
        if word == "failed" and reason in FAILURES:
            return Probe(failed=reason, disks=disks)
    jobs = {job["jobname"]: job for line in lines for job in _jobs(line)}
    try:
        return Probe(_figures(jobs), disks=disks)
    except (KeyError, TypeError, ValueError):
        return Probe(failed="probe_failed", detail=answer.text[-300:], disks=disks)


def _told_disks(line: str) -> list[str]:
    word, *names = line.split()[:9] or [""]
    return names if word == "disks" else []


def _jobs(line: str) -> Iterator[Mapping[str, Any]]:
    """The jobs of a line `fio JSON`; fio may print warnings before its JSON."""
    try:
        found = json.loads(line[line.index("{") :]) if line.startswith("fio ") else {}
    except ValueError:
        return
    for job in found.get("jobs", ()):
        if isinstance(job, dict) and "jobname" in job and not job.get("error"):
            yield job


def _figures(jobs: Mapping[str, Mapping[str, Any]]) -> Mapping[str, float]:
    """The figures of the four jobs: of the first alone where a disk was too slow for the others.

    Raises `KeyError` where a job did nothing.
    """
    written = {"write_bytes_per_second": float(jobs["write"]["write"]["bw_bytes"])}
    if jobs.keys() == {"write"} and written["write_bytes_per_second"] > 0:
        return written
    random, sync = jobs["random"]["read"]["clat_ns"], jobs["sync"]["sync"]["lat_ns"]
    found = {
        **written,
        "read_bytes_per_second": float(jobs["read"]["read"]["bw_bytes"]),
        "read_latency_median_seconds": random["percentile"]["50.000000"] / 1e9,
        "fsync_latency_median_seconds": sync["percentile"]["50.000000"] / 1e9,
        "read_latency_p99_seconds": random["percentile"]["99.000000"] / 1e9,
        "fsync_latency_p99_seconds": sync["percentile"]["99.000000"] / 1e9,
    }
    if min(found.values()) <= 0:
        raise ValueError(found)
    return found


def _past(found: Round, volume: str, probe: Probe) -> Past:
    """All figures, with those of this probe. What was only told again does not count again."""
    labels = {"volume": volume}
    series = {f: found.history.series(f"{_METRIC}{f}", labels, _ALL) for f in FIGURES}
    fresh: list[datetime] = []
    before = None
    for sample in series["write_bytes_per_second"]:
        if sample.value != before:  # a speed to the byte: never the same twice
            fresh.append(sample.at)
        before = sample.value
    figures = {f: [s.value for s in samples if s.at in fresh] for f, samples in series.items()}
    if probe.figures is not None:
        figures = {
            f: [*values, *([probe.figures[f]] if f in probe.figures else [])]
            for f, values in figures.items()
        }
        return Past(figures, found.seen.at)
    return Past(figures, fresh[-1] if fresh else None)


def _word(probe: Probe, cause: str, *, known: bool) -> str:
    if probe.skipped:
        return f"skipped_{probe.skipped}"
    return cause or ("usual" if known else "learning")


def _fields(volume: str, past: Past, base: Baseline | None) -> dict[str, object]:
    newest = {figure: values[-1] if values else 0.0 for figure, values in past.figures.items()}
    return {
        "volume": volume,
        "read": Size(newest["read_bytes_per_second"]),
        "write": Size(newest["write_bytes_per_second"]),
        "wait": round(1e6 * newest["read_latency_median_seconds"]),
        "fsync": round(1e6 * newest["fsync_latency_median_seconds"]),
        "percent": 100 * base.ratio if base else 100.0,
        "times": base.ratio if base else 1.0,
    }


def _counted(found: Round, volume: str, probe: Probe) -> Iterator[Measurement]:
    """The counters, each one more than it was where that is due."""

    def one_more(metric: str, due: bool, **labels: str) -> Measurement:
        told = {"volume": volume, **labels}
        past = found.history.series(metric, told, _ALL)
        return Measurement(metric, (past[-1].value if past else 0) + due, told)

    yield one_more(RUNS, not probe.skipped)
    for reason in FAILURES:
        yield one_more(FAILED, probe.failed == reason, reason=reason)
    for reason in SKIPS:
        yield one_more(SKIPPED, probe.skipped == reason, reason=reason)


def _measured(
    volume: str, probe: Probe, past: Past, usual: Mapping[str, Baseline | None]
) -> Iterator[Measurement]:
    labels = {"volume": volume}
    if past.newest is not None:
        at = past.newest.timestamp()
        yield Measurement(f"{_METRIC}last_success_timestamp_seconds", at, labels)
    for figure in FIGURES:
        if past[figure] and (probe.figures is None or figure in probe.figures):
            yield Measurement(f"{_METRIC}{figure}", past[figure][-1], labels)
    for figure in BASELINES:
        if base := usual[figure]:
            yield Measurement(f"{_METRIC}baseline_{figure}", base.usual, labels)
