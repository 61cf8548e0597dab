"""The record of incidents: what the law asks to be told when, and which incidents are ordinary.

The table of notices is dated: an incident is measured by what was in force when it was detected.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from opsd.config.oncall import Day
from opsd.config.options import Options, Truth
from opsd.config.units import Duration
from opsd.config.values import Name, Text
from opsd.people import Grade, LegalClock


class Profile(StrEnum):
    """A grade of incident that starts a clock; `any` is every one."""

    ANY = "any"
    SERIOUS = "serious"
    DISRUPTIVE = "disruptive"


class LegalNotice(Options):
    """Somebody to be told of a security incident within a span of its detection."""

    name: Name
    """A short name."""

    source: Text
    """What asks for it: the instrument and its clause."""

    recipient: Text
    """Who is to be told."""

    within: Duration
    """How long after the detection, nights and holidays included; `0s` is at once."""

    grade: Profile = Profile.ANY
    """The mildest grade that it is asked for."""

    personal_data: Truth = False
    """Whether it is asked for where personal data are touched, and only there."""

    since: Day
    """The first day on which it was in force, `YYYY-MM-DD`."""

    until: Day | None = None
    """The last one. None: it still is."""

    checked: Day | None = None
    """The day on which a person compared this entry with the text of the law. None: nobody did, and
    it is told so wherever it is shown."""

    @property
    def clock(self) -> LegalClock:
        """As it is reckoned with."""
        grade = Grade.ORDINARY if self.grade is Profile.ANY else Grade(self.grade.value)
        return LegalClock(
            self.name,
            self.source,
            self.recipient,
            self.within,
            grade,
            self.personal_data,
            self.since,
            self.until,
            self.checked,
        )


_ND331 = "Nghị định 331/2026/NĐ-CP, Điều 31 khoản 2 điểm d"
_POLICE = "cơ quan chuyên trách của Bộ Công an"
_BEGAN = date(2026, 8, 19)
LEGAL: tuple[LegalNotice, ...] = (
    LegalNotice(
        name="at-once",
        source=_ND331,
        recipient=_POLICE,
        within="0s",  # type: ignore[arg-type]  # as it is written
        grade=Profile.DISRUPTIVE,
        since=_BEGAN.isoformat(),  # type: ignore[arg-type]
    ),
    LegalNotice(
        name="first-notice",
        source=_ND331,
        recipient=_POLICE,
        within="24h",  # type: ignore[arg-type]
        grade=Profile.SERIOUS,
        since=_BEGAN.isoformat(),  # type: ignore[arg-type]
    ),
    LegalNotice(
        name="report",
        source=_ND331,
        recipient=_POLICE,
        within="72h",  # type: ignore[arg-type]
        grade=Profile.SERIOUS,
        since=_BEGAN.isoformat(),  # type: ignore[arg-type]
    ),
    LegalNotice(
        name="personal-data",
        source="Luật 91/2025/QH15, Điều 23",
        recipient="cơ quan chuyên trách bảo vệ dữ liệu cá nhân của Bộ Công an",
        within="72h",  # type: ignore[arg-type]
        personal_data=True,
        since="2026-01-01",  # type: ignore[arg-type]
    ),
    LegalNotice(
        name="notice-nd85",
        source="Nghị định 85/2016/NĐ-CP, Thông tư 20/2017/TT-BTTTT",
        recipient="chủ quản, cơ quan điều phối quốc gia, đơn vị chuyên trách",
        within="5d",  # type: ignore[arg-type]
        since="2016-07-01",  # type: ignore[arg-type]
        until=(_BEGAN - timedelta(days=1)).isoformat(),  # type: ignore[arg-type]
    ),
)


class Incidents(Options):
    """How incidents are recorded."""

    system: Text | None = None
    """The system that they are about, as official documents name it."""

    level: Text | None = None
    """Its level (cấp độ), as approved."""

    ordinary: Annotated[tuple[Name, ...], Field(strict=False)] = (
        "load",
        "memory",
        "temperature",
        "disk_speed",
        "disk_latency",
        "watchdog",
    )
    """Checks whose incidents are ordinary beyond doubt. Of any other one opsd proposes the higher
    grade; a person decides."""

    legal_notices: Annotated[tuple[LegalNotice, ...], Field(strict=False)] = LEGAL
    """Who must be told of security incidents, how soon, by what law."""
