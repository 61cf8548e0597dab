"""What the metrics page tells of the watch: states, figures, incidents, ways to hosts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from opsd.metrics import Watched, watched
from opsd.metrics.table import Page
from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Incident,
    Maintenance,
    Measurement,
    Status,
)
from tests.site import ROOT

GOLDEN = ROOT / "tests" / "golden" / "watch.txt"
NIGHT = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MOUNT = '/srv/"a\\b"'


def page(seen: Watched) -> str:
    found = Page()
    watched.tell(found, seen)
    return found.text()


def samples(text: str, name: str) -> dict[str, float]:
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def seen() -> Watched:
    """A disk that is full, a host whose figures another tells, a probe that is out."""
    full = CheckResult(
        Status.CRITICAL,
        "check.filesystems.filesystem_full",
        cause="filesystem_full",
        subject=MOUNT,
        measurements=(
            Measurement("opsd_host_filesystem_avail_bytes", 0, {"mountpoint": MOUNT}),
            Measurement("opsd_host_filesystem_unheard_of", 7, {"mountpoint": MOUNT}),
        ),
    )
    spared = CheckResult(Status.OK, "check.load", measurements=(Measurement("opsd_host_load1", 2),))
    out = CheckResult(
        Status.CRITICAL,
        "cause.tls_expired",
        cause="tls_expired",
        measurements=(Measurement("opsd_probe_success", 0),),
    )
    answers = ((("db1", "filesystems"), full), (("web", "load"), spared), (("", "portal"), out))
    states = [
        CheckState(CheckId(*who, result.subject), result.status, NIGHT, result, NIGHT + n * MINUTE)
        for n, (who, result) in enumerate(answers)
    ]
    return Watched(
        states=states,
        intervals={who: MINUTE for who, _ in answers},
        counts={("db1", "filesystems", ""): 5, ("db1", "filesystems", full.cause): 2},
        missed={"db1": 0, "web": 3},
        incidents=[Incident("SC-1", states[0].id, NIGHT, NIGHT, full.cause, full.said)],
        maintenance=[Maintenance("m", NIGHT, NIGHT + DAY, "disks", "An", host="web")],
        hosts=["db1", "web"],
        ways={"db1": {"": 2, "auth": 1}},
        writable={"history": True, "watch": False},
        bare=frozenset({"web"}),
    )


def test_the_page_of_a_watch_is_the_golden_one() -> None:
    assert page(seen()) == GOLDEN.read_text(encoding="utf-8")


def test_ways_to_hosts_are_counted_from_nought_for_every_reason() -> None:
    ways = {"db1": {"": 3, "timeout": 2}, "web": {"": 1}}
    text = page(Watched(ways=ways))
    assert samples(text, "opsd_ssh_connections_total") == {'{host="db1"}': 3, '{host="web"}': 1}
    failed = samples(text, "opsd_ssh_connection_failures_total")
    assert len(failed) == 2 * 5
    assert {labels: n for labels, n in failed.items() if n} == {'{host="db1",reason="timeout"}': 2}
