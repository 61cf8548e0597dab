"""`python -m benchmarks.intake`: how many alerts a second opsd takes in, each lying on disk first.

Beside it the least that can be done: append the message to a file, fsync, answer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from opsd.catalogue import Language
from opsd.clock import now
from opsd.config.load import parse
from opsd.config.values import Address
from opsd.store import Alerts
from opsd.tasks.incidents.intake import Intake
from opsd.web import AdminPages, Server, Webhook
from tests.webhooks import alert_of, message

CONFIG = """\
repositories:
  main: {{url: /srv/backup, password_file: /etc/opsd/main.password}}
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: /srv/tree}}
webhook:
  token_file: {home}/token
  incidents: [{{alert: DiskDying}}]
"""
TOKEN = "benchmark"  # noqa: S105  (protects nothing)
_SERIAL = count()


@dataclass(frozen=True, slots=True)
class Shape:
    """Messages that are sent: how many alerts in each, how many of them, how many at a time."""

    name: str
    alerts: int
    messages: int
    at_once: int = 1
    opening: bool = False

    def bodies(self) -> list[bytes]:
        """Messages, no alert of which was ever sent before."""
        return [
            message(*(self._alert(next(_SERIAL)) for _ in range(self.alerts)))
            for _ in range(self.messages)
        ]

    def _alert(self, number: int) -> dict[str, object]:
        name = f"DiskDying{number}" if not self.opening else "DiskDying"
        return alert_of(
            name, instance=f"h{number}:9100", severity="critical", job="node", n=str(number)
        )


SHAPES = (
    Shape("one alert a message", 1, 300),
    Shape("one alert a message, 8 at a time", 1, 300, 8),
    Shape("100 alerts a message", 100, 20),
    Shape("1,000 alerts a message", 1000, 5),
    Shape("5,000 alerts a message", 5000, 2),
    Shape("1,000 alerts a message that open incidents", 1000, 3, opening=True),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How one door took one shape: alerts a second, and how long a message waited."""

    rate: float
    median_ms: float
    longest_ms: float


def main(argv: Sequence[str]) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--place", type=Path, default=None, help="directory on the disk to try")
    place = parser.parse_args(argv).place
    rows = []
    for shape in SHAPES:
        with tempfile.TemporaryDirectory(dir=place) as home:
            base = Path(home)
            with ours(base) as address:
                opsd = measured(address, shape)
            with bare(base / "alerts.jsonl") as address:
                least = measured(address, shape)
        rows.append((shape, opsd, least))
    print(f"{'':46}{'alerts/s':>10}{'median':>10}{'longest':>10}{'bare':>10}{'ratio':>8}")
    for shape, opsd, least in rows:
        print(
            f"{shape.name:46}{opsd.rate:10,.0f}{opsd.median_ms:8.1f}ms{opsd.longest_ms:8.1f}ms"
            f"{least.rate:10,.0f}{opsd.rate / least.rate:8.2f}"
        )
    return 0


def measured(address: str, shape: Shape) -> Taken:
    """Send the messages of a shape to a door."""
    host, _, port = address.rpartition(":")

    def send(body: bytes) -> float:
        began = time.perf_counter()
        with closing(HTTPConnection(host, int(port), timeout=60)) as connection:
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            connection.request("POST", "/-/alerts", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        return (time.perf_counter() - began) * 1000

    bodies = shape.bodies()
    with ThreadPoolExecutor(shape.at_once) as pool:
        began = time.perf_counter()
        waits = list(pool.map(send, bodies))
        elapsed = time.perf_counter() - began
    alerts = shape.alerts * shape.messages
    return Taken(alerts / elapsed, statistics.median(waits), max(waits))


@contextmanager
def ours(base: Path) -> Iterator[str]:
    """The way in of opsd."""
    (base / "token").write_text(TOKEN)
    config = parse(CONFIG.format(home=base))
    assert config.webhook is not None
    with closing(Alerts(base / "opsd.sqlite")) as alerts:
        webhook = Webhook(config.webhook, Intake(alerts, lambda: config, now))
        pages = AdminPages(str, str, str, lambda: Language.EN, webhook)
        with closing(Server(Address("127.0.0.1:0"), pages)) as server:
            yield server.address


@contextmanager
def bare(path: Path) -> Iterator[str]:
    """The least that can be done."""
    lock = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            json.loads(body)
            with lock:
                file.write(body + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with path.open("ab") as file, ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
