"""A real S3 server on the loopback, and a way behind its back: the filer's port asks for no key."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from opsd.drivers.process import Background, Command
from opsd.drivers.s3 import Bucket, Credentials, S3Storage
from opsd.drivers.storage import LocalStorage
from opsd.errors import OpsdError
from tests.site import Site

BUCKET = "opsd"
KEY, SECRET = "TESTKEY", "only+for/tests"
_SERVICES = ("master", "volume", "filer", "s3", "admin")
_LONG = timedelta(hours=2)
_READY_SECONDS = 60.0


class Server:
    """SeaweedFS in one process, in a directory of its own. It keeps its data over a restart."""

    def __init__(self, base: Path) -> None:
        self._base = base
        for name in ("data", "tmp"):
            (base / name).mkdir()
        ports = _free_ports(2 * len(_SERVICES))
        self._ports = {
            name: ports.pop() for one in _SERVICES for name in (f"{one}.port", f"{one}.port.grpc")
        }
        self._running: Background | None = None

    def start(self) -> None:
        """Start it and wait until its bucket answers."""
        argv = (
            *("weed", "mini", f"-dir={self._base / 'data'}", f"-bucket={BUCKET}"),
            *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"),
            *("-master.volumeSizeLimitMB=256", "-volume.max=1000"),
            *(f"-{name}={port}" for name, port in self._ports.items()),
        )
        env = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "TMPDIR": str(self._base / "tmp"),
            "HOME": str(self._base),
        }
        command = Command(argv, _LONG, env=env, cwd=self._base)
        self._running = Background(command, self._base / "log")
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and remove the sockets that it leaves in a directory nobody can choose."""
        if self._running is not None:
            self._running.end(how)
            self._running = None
        for port in self._ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)

    def url(self, prefix: str, bucket: str = BUCKET) -> str:
        """A repository's address as restic and the configuration write it."""
        return f"s3:http://127.0.0.1:{self._ports['s3.port']}/{bucket}/{prefix}"

    def storage(self, prefix: str) -> S3Storage:
        """The storage as opsd sees it."""
        return S3Storage("main", Bucket.at(self.url(prefix)), Credentials(KEY, SECRET))

    def _wait(self) -> None:
        assert self._running is not None
        end = time.monotonic() + _READY_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self._ports["s3.port"]), 1):
                    pass
                self.storage("").reach()
                self.write("ready", b"yes")  # the volumes come last
                assert self.read("ready") == b"yes"
                break
            except (OSError, OpsdError):
                log = self._base / "log"
                if not self._running.alive or time.monotonic() > end:
                    raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
                time.sleep(0.05)

    # --- behind the back of S3

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys below a prefix."""
        place = f"{BUCKET}/{prefix}".strip("/")
        try:
            listed = json.loads(self._call("GET", f"{place}/?limit=10000"))
        except FileNotFoundError:
            return
        for entry in listed["Entries"] or ():
            key = entry["FullPath"].removeprefix(f"/buckets/{BUCKET}/")
            if entry["Mode"] & (1 << 31):  # Go's bit of a directory
                yield from self.keys(key)
            else:
                yield key

    def read(self, key: str) -> bytes:
        """The content of an object."""
        return self._call("GET", quote(f"{BUCKET}/{key}"))

    def write(self, key: str, content: bytes) -> None:
        """Put an object there, over whatever is there."""
        self._call("PUT", quote(f"{BUCKET}/{key}"), content)

    def remove(self, key: str) -> None:
        """Take an object away."""
        self._call("DELETE", quote(f"{BUCKET}/{key}"))

    def upload(self, tree: Path, prefix: str) -> None:
        """Put all files of a directory below a prefix."""
        for path in tree.rglob("*"):
            if path.is_file():
                self.write(f"{prefix}/{path.relative_to(tree)}", path.read_bytes())

    def copy(self, source: str, target: str) -> None:
        """The objects of one prefix below another."""
        for key in self.keys(source):
            self.write(target + key.removeprefix(source), self.read(key))

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Accept": "application/json", "Content-Type": "application/octet-stream"}
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["filer.port"], timeout=30)
        try:
            connection.request(method, f"/buckets/{path}", body, headers)
            answer = connection.getresponse()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise FileNotFoundError(f"{method} {path}: {answer.status}")
            return answer.read()
        finally:
            connection.close()


def credentials(path: Path, key: str = KEY, secret: str = SECRET) -> Path:
    """A shared-credentials file."""
    path.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    path.chmod(0o600)
    return path


def in_bucket(site: Site, server: Server, prefix: str) -> Site:
    """The site with its repository below a prefix of the bucket."""
    keys = credentials(site.base / "keys")
    shutil.copyfile(site.base / "keys", site.base / "right-keys")
    site.changes[f"url: {site.base}/repository"] = (
        f"url: {server.url(prefix)}\n    s3_credentials_file: {keys}"
    )
    return site


def served() -> Iterator[Server]:
    """A server that runs while it is asked for; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="opsd-s3-") as base:
        server = Server(Path(base))
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGKILL)  # nobody wants its data any more


def put(server: Server | None, root: Path, prefix: str, objects: dict[str, bytes]) -> None:
    """Objects by their path in a repository, in a bucket or in a directory."""
    for path, content in objects.items():
        if server is not None:
            server.write(f"{prefix}/{path}", content)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def storage_of(server: Server | None, root: Path, prefix: str) -> LocalStorage | S3Storage:
    """The storage that `put` filled."""
    return LocalStorage(root) if server is None else server.storage(prefix)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
