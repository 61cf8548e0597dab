"""LVM: do thin pools and snapshots have room, and is every disk there?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.disks import VolumesOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least

AS_ROOT = '[ "$(id -u)" = 0 ] && as= || as="sudo -n"'
_FORM = "--reportformat json --units b --nosuffix"
_OF_VOLUMES = "vg_name,lv_name,lv_attr,data_percent,metadata_percent,lv_health_status"
_OF_GROUPS = "vg_name,vg_size,vg_free,vg_missing_pv_count"
LVM = Read(
    "lvm",
    f"""PATH=$PATH:/usr/sbin:/sbin
command -v lvs >/dev/null || exit 0
{AS_ROOT}
$as lvs {_FORM} -o {_OF_VOLUMES} 2>/dev/null && $as vgs {_FORM} -o {_OF_GROUPS} 2>/dev/null ||
{{ $as vgs 2>&1 | tail -n 1; exit 1; }}""",
    timedelta(seconds=10),
)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Volumes(Plain):
    """Judges volume groups, and of the volumes those that can run full or be ill."""

    options: VolumesOptions

    def reads(self) -> tuple[Read, ...]:
        """What LVM reports, where it is installed."""
        return (LVM,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a group, a pool and a snapshot."""
        answer = found.seen.answers[LVM.name]
        try:
            volumes, groups = parse(answer.text)
        except ValueError:
            return (unreadable(LVM, answer),)
        if not answer.good:
            return (unreadable(LVM, answer),)
        return (
            *(_group(row) for row in groups),
            *(self._volume(row) for row in volumes if _matters(row)),
        )

    def _volume(self, row: Row) -> CheckResult:
        name = f"{row['vg_name']}/{row['lv_name']}"
        own = self.options
        data, metadata = _part(row, "data_percent"), _part(row, "metadata_percent")
        snapshot = row["lv_attr"][:1] in "sS"
        verdicts = (
            (Status.CRITICAL if _ill(row) else Status.OK, "volume_ill"),
            (
                at_least(data, own.warning, own.critical),
                "snapshot_full" if snapshot else "pool_full",
            ),
            (at_least(metadata, own.warning, own.critical), "pool_metadata_full"),
        )
        status, cause = max(verdicts, key=lambda one: one[0])
        cause = "" if status is Status.OK else cause
        labels = {"volume": name}
        return CheckResult(
            status,
            f"check.volumes.{cause or 'well'}",
            {
                "volume": name,
                "health": row["lv_health_status"] or "-",
                "percent": 100 * data,
                "metadata_percent": 100 * metadata,
            },
            cause=cause,
            subject=name,
            measurements=(
                Measurement("opsd_host_volume_used_ratio", data, labels),
                Measurement("opsd_host_volume_metadata_used_ratio", metadata, labels),
            ),
        )


def parse(text: str) -> tuple[list[Row], list[Row]]:
    """The volumes and the groups of two reports. Raises `ValueError` for what is none."""
    found: dict[str, list[Row]] = {"lv": [], "vg": []}
    for report in _objects(text):
        for part in report.get("report", ()):
            for kind, rows in part.items():
                found.setdefault(kind, []).extend(rows)
    return found["lv"], found["vg"]


def _objects(text: str) -> Iterator[dict[str, list[dict[str, list[Row]]]]]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        if not isinstance(value, dict):
            raise ValueError(text)  # noqa: TRY004  (it is the text that is wrong)
        yield value
        rest = rest[end:].lstrip()


def _matters(row: Row) -> bool:
    """Thin pools, snapshots, and whatever is ill."""
    return row["lv_attr"][:1] in "tsS" or _ill(row)


def _ill(row: Row) -> bool:
    return bool(row["lv_health_status"])


def _part(row: Row, which: str) -> float:
    return float(row[which] or 0) / 100


def _group(row: Row) -> CheckResult:
    missing = int(row["vg_missing_pv_count"] or 0)
    cause = "volume_disk_missing" if missing else ""
    labels = {"group": row["vg_name"]}
    return CheckResult(
        Status.CRITICAL if missing else Status.OK,
        f"check.volumes.{cause or 'group'}",
        {"group": row["vg_name"], "missing": missing},
        cause=cause,
        subject=row["vg_name"],
        measurements=(
            Measurement("opsd_host_volume_group_size_bytes", float(row["vg_size"]), labels),
            Measurement("opsd_host_volume_group_free_bytes", float(row["vg_free"]), labels),
        ),
    )
