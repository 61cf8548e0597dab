"""A real Alertmanager with one receiver, and what is handed to it."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from opsd.clock import now
from tests.prometheus import answers, ended, eventually, free_port

_CONFIG = """\
route:
  {{receiver: opsd, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}}
receivers:
  - name: opsd
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config: {http}
"""


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One that runs."""

    address: str
    process: subprocess.Popen[bytes]

    def hand(self, alerts: Sequence[dict[str, str]], *, over: bool = False) -> None:
        """Hand it alerts, as Prometheus does, by their labels."""
        at = now()
        body = [
            {
                "labels": labels,
                "annotations": {"summary": "Only a test."},
                "startsAt": (at - timedelta(minutes=1)).isoformat(),
                "endsAt": (at if over else at + timedelta(hours=1)).isoformat(),
            }
            for labels in alerts
        ]
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (http)
            assert answer.status == 200


@contextmanager
def alertmanager(directory: Path, url: str, http: str = "{}") -> Iterator[Alertmanager]:
    """Run one that tells `url`; `http` is its `http_config`."""
    directory.mkdir(exist_ok=True)
    config, address = directory / "alertmanager.yml", f"127.0.0.1:{free_port()}"
    config.write_text(_CONFIG.format(url=url, http=http))
    with (directory / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "alertmanager",
                f"--config.file={config}",
                f"--storage.path={directory / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            eventually(partial(answers, f"http://{address}/-/ready"), "alertmanager ready")
            yield Alertmanager(address, process)
        finally:
            ended(process)
