"""The limits of checks, as they are exported."""

from __future__ import annotations

from opsd.config.load import parse
from opsd.metrics import limits
from opsd.metrics.table import Page
from tests.unit.test_metrics import CONFIG, samples

SITE = """\
checks:
  filesystems: {free_critical: 0.05, fast_critical: 2h}
"""
HOSTS = """\
hosts:
  local: {}
  db1:
    address: 10.0.0.7
    key_file: /etc/opsd/key
    known_hosts: /etc/opsd/known_hosts
    checks: {filesystems: {free_critical: 0.02, interval: 1m}}
"""


def told(more: str, name: str) -> dict[str, float]:
    page = Page()
    limits.tell(page, parse(CONFIG + more))
    return samples(page.text(), name)


def test_the_sites_limits_are_told_once_and_a_hosts_own_where_it_has_any() -> None:
    found = told(SITE + HOSTS, "opsd_check_limit")
    mine = {who: value for who, value in found.items() if 'option="free_critical"' in who}
    assert mine == {
        '{check="filesystems",host="",option="free_critical"}': 0.05,
        '{check="filesystems",host="db1",option="free_critical"}': 0.02,
    }
    spans = told(SITE + HOSTS, "opsd_check_limit_seconds")
    assert spans['{check="filesystems",host="",option="fast_critical"}'] == 7200
    assert not [who for who in spans if "interval" in who or 'host="db1"' in who]
    assert told(HOSTS, "opsd_check_limit_bytes") == {
        '{check="disk_speed",host="",option="min_free"}': 2 << 30
    }


def test_where_no_host_is_watched_no_limit_is_told() -> None:
    assert not told(SITE, "opsd_check_limit")
