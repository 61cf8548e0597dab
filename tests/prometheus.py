"""A real Prometheus with our rules, and a real Alertmanager that tells a receiver of the test."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.site import ROOT

RULES = ROOT / "grafana" / "prometheus"
PATIENCE = 60.0
_PROMETHEUS = """\
global:
  scrape_interval: {every}
  scrape_timeout: {every}
  evaluation_interval: {every}
  external_labels: {{docs: "http://docs", grafana: "http://grafana"}}
scrape_configs:
  - job_name: opsd
    static_configs: [{{targets: [{targets}]}}]
{over}rule_files: [rules/*.yml, alerts/*.yml]
alerting:
  alert_relabel_configs: [{{action: labeldrop, regex: docs|grafana}}]
  alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]
"""
_ALERTMANAGER = """\
route: {{receiver: test, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: test
    webhook_configs: [{{url: "http://{receiver}/", send_resolved: true}}]
"""


@dataclass(slots=True)
class Stack:
    """A Prometheus and an Alertmanager that run, and what the receiver was told."""

    prometheus: str
    alertmanager: str
    received: list[dict[str, Any]] = field(default_factory=list)

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The samples that a query gives now. Raises `ValueError` when it cannot be parsed."""
        answer = _asked(f"http://{self.prometheus}/api/v1/query", query=promql)
        if answer["status"] != "success":
            raise ValueError(f"{promql}: {answer['error']}")
        return list(answer["data"]["result"])

    def alerts(self) -> list[dict[str, str]]:
        """The labels of every alert that fires in Prometheus now, without the heartbeat."""
        found = _asked(f"http://{self.prometheus}/api/v1/alerts")["data"]["alerts"]
        return [
            dict(alert["labels"])
            for alert in found
            if alert["state"] == "firing" and alert["labels"]["alertname"] != "Watchdog"
        ]

    def firing(self) -> set[str]:
        """Their names."""
        return {alert["alertname"] for alert in self.alerts()}

    def told(self, name: str, status: str = "firing") -> list[dict[str, Any]]:
        """What the receiver was told of an alert."""
        alerts = (alert for message in list(self.received) for alert in message["alerts"])
        return [a for a in alerts if (a["labels"]["alertname"], a["status"]) == (name, status)]


@contextmanager
def stack(
    targets: Sequence[str],
    directory: Path,
    *,
    every: str = "1s",
    over: Mapping[str, object] | None = None,
    hasty: bool = True,
) -> Iterator[Stack]:
    """Run both on free ports; `hasty` makes alerts fire at once where the rules wait.

    `over` says how the targets are reached, as a scrape configuration has it.
    """
    with ExitStack() as held:
        received: list[dict[str, Any]] = []
        told = held.enter_context(receiver(received))
        made = Stack(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", received)
        reached = "".join(
            f"    {key}: {json.dumps(value)}\n" for key, value in (over or {}).items()
        )
        listed = ", ".join(f'"{target}"' for target in targets)
        text = _PROMETHEUS.format(
            every=every, targets=listed, over=reached, alertmanager=made.alertmanager
        )
        (directory / "prometheus.yml").write_text(text)
        (directory / "alertmanager.yml").write_text(_ALERTMANAGER.format(receiver=told))
        _rules(directory, hasty=hasty)
        for argv in (_prometheus(directory, made), _alertmanager(directory, made)):
            log = held.enter_context((directory / f"{argv[0]}.log").open("wb"))
            process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=directory)
            held.callback(ended, process)
        for address in (made.prometheus, made.alertmanager):
            eventually(partial(answers, f"http://{address}/-/ready"), f"{address} ready")
        yield made


def eventually(question: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Ask until the answer is yes; fail when time is up."""
    end = time.monotonic() + patience
    while not question():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _rules(directory: Path, *, hasty: bool) -> None:
    for kind in ("rules", "alerts"):
        shutil.copytree(RULES / kind, directory / kind)
    if hasty:
        for path in (directory / "alerts").iterdir():
            rules = re.sub(r"(?m)^(\s+for:) \w+$", r"\1 0s", path.read_text(encoding="utf-8"))
            path.write_text(rules, encoding="utf-8")


def _prometheus(directory: Path, made: Stack) -> list[str]:
    return [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address={made.prometheus}",
        # What is said before an Alertmanager is known is lost, and said again after so long only.
        "--rules.alert.resend-delay=1s",
    ]


def _alertmanager(directory: Path, made: Stack) -> list[str]:
    return [
        "alertmanager",
        f"--config.file={directory / 'alertmanager.yml'}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address={made.alertmanager}",
        "--cluster.listen-address=",
    ]


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def receiver(received: list[dict[str, Any]]) -> Iterator[str]:
    """Somebody who takes what is posted; gives where."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(url: str, **parameters: str) -> dict[str, Any]:
    query = f"{url}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(query, timeout=10) as answer:  # noqa: S310  (http, made here)
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))


def answers(url: str) -> bool:
    with (
        suppress(OSError),
        urllib.request.urlopen(url, timeout=5),  # noqa: S310  (http, made here)
    ):
        return True
    return False
