"""Answers that no well-behaved S3 server gives when one wants them: each is told for what it is."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opsd import errors
from opsd.clock import now
from opsd.config.schema import Config
from opsd.drivers import s3
from opsd.drivers.s3 import Bucket, Credentials, S3Storage
from opsd.drivers.storage import StoredObject
from opsd.store import Store
from opsd.tasks import kit as kits
from opsd.tasks.keys import opening
from opsd.tasks.kit import Kit
from tests.servers import serving, silent

PACK = StoredObject("data", "ab" * 32, 5)
LIST = b"<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>%s</ListBucketResult>"


@dataclass(frozen=True)
class Answer:
    """What the server says; `length` lies about the body when it is given."""

    status: int = 200
    body: bytes = b"hello"
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, more: str = "") -> Answer:
    text = f"<Error><Code>{code}</Code><Message>because</Message>{more}</Error>"
    return Answer(status, text.encode())


class Scripted(ThreadingHTTPServer):
    """Gives one answer after the other, the last one for ever; keeps what it was asked."""

    daemon_threads = True
    answers: list[Answer]
    asked: list[tuple[str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        script = self.server
        script.asked.append((self.path, self.headers.get("authorization", "")))
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        self.send_response(answer.status)
        length = len(answer.body) if answer.length is None else answer.length
        for name, value in {**answer.headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


Script = Callable[..., tuple[S3Storage, Scripted]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A server that says what the test wants, and the storage that asks it."""
    monkeypatch.setattr(s3, "_PAUSE_SECONDS", 0.001)
    with Scripted(("127.0.0.1", 0), Handler) as server:

        def say(*answers: Answer) -> tuple[S3Storage, Scripted]:
            server.answers, server.asked = list(answers), []
            bucket = Bucket(False, "127.0.0.1", server.server_port, "bucket", "p")
            return S3Storage("main", bucket, Credentials("KEY", "SECRET")), server

        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield say
        server.shutdown()
        thread.join()


def digest_of_hello(storage: S3Storage) -> bool:
    return storage.digest(PACK).startswith("2cf24dba5fb0a30e")


@pytest.mark.parametrize(
    "passing",
    [
        refusal(503, "SlowDown"),
        refusal(500, "InternalError"),
        Answer(429, b""),
        Answer(502, b"<html>"),
        Answer(length=6),
    ],
    ids=["slow down", "internal", "too many", "a proxy's page", "cut in the middle"],
)
def test_what_may_pass_is_asked_again(passing: Answer, script: Script) -> None:
    storage, server = script(passing, passing, passing, Answer())
    assert digest_of_hello(storage)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("answer", "kind", "key"),
    [
        (refusal(503, "SlowDown"), errors.StorageFailed, "s3.failed"),
        (Answer(length=9), errors.StorageFailed, "repository.unreachable"),
        (refusal(403, "AccessDenied"), errors.AccessDenied, "repository.denied"),
        (refusal(403, "RequestTimeTooSkewed"), errors.ClockWrong, "clock.s3"),
        (Answer(401, b""), errors.AccessDenied, "repository.denied"),
        (refusal(404, "NoSuchBucket"), errors.BucketMissing, "repository.no_bucket"),
        (refusal(400, "InvalidRequest"), errors.StorageFailed, "s3.failed"),
        (Answer(302, b""), errors.StorageFailed, "s3.failed"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_stays_is_told_and_is_no_damage(
    answer: Answer, kind: type[errors.OpsdError], key: str, script: Script
) -> None:
    storage, _ = script(answer)
    with pytest.raises(kind) as told:
        storage.digest(PACK)
    assert told.value.key == key
    assert not isinstance(told.value, errors.RepositoryDamaged)
    assert "SECRET" not in str(told.value)


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_PAUSE_SECONDS", 0.001)
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        bucket = Bucket(False, "127.0.0.1", taken.getsockname()[1], "bucket", "")
        with pytest.raises(errors.StorageFailed) as told:
            S3Storage("main", bucket, Credentials("KEY", "SECRET")).reach()
    assert told.value.key == "repository.unreachable"


def test_a_server_that_says_nothing_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first, and for all that one command asks of it."""
    monkeypatch.setattr(s3, "_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(kits, "_WAITED", timedelta(seconds=0.1))
    met: list[None] = []

    def serve(opened: socket.socket) -> None:
        met.append(None)
        silent(opened)

    (tmp_path / "keys").write_text("[default]\naws_access_key_id = K\naws_secret_access_key = S\n")
    (tmp_path / "keys").chmod(0o600)
    with serving(serve) as port:
        repository = {
            "url": f"s3:http://127.0.0.1:{port}/bucket",
            "password_file": str(tmp_path / "password"),
            "s3_credentials_file": str(tmp_path / "keys"),
        }
        tree = {"kind": "files", "path": str(tmp_path)}
        papers = {"repository": "main", "schedule": "01:30", "rpo": "24h", "rto": "4h"}
        config = Config.model_validate(
            {
                "state": str(tmp_path),
                "repositories": {"main": repository},
                "backup_sets": {"papers": {**papers, "members": {"tree": tree}}},
            }
        )
        store = Store(tmp_path / "history.sqlite")
        kit = Kit(config, store, now)
        for asking in (kit, replace(kit, slot=now())):
            with pytest.raises(errors.StorageFailed) as told:
                asking.reach("main")
            assert told.value.key == "repository.unreachable"
        with opening(kit, ["main"]):
            pass
        store.close()
    assert len(met) == 1


def test_an_object_that_is_gone_is_no_error_of_the_server(script: Script) -> None:
    storage, server = script(refusal(404, "NoSuchKey"))
    with pytest.raises(FileNotFoundError):
        storage.digest(PACK)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        refusal(400, "AuthorizationHeaderMalformed", "<Region>hcm-1</Region>"),
        Answer(301, b"", headers={"x-amz-bucket-region": "hcm-1"}),
    ],
    ids=["told in the text", "told in a header"],
)
def test_the_region_is_learnt_from_the_server(elsewhere: Answer, script: Script) -> None:
    storage, server = script(elsewhere, Answer())
    assert digest_of_hello(storage)
    assert digest_of_hello(storage)
    scopes = [authorization.split("/")[2] for _, authorization in server.asked]
    assert scopes == ["us-east-1", "hcm-1", "hcm-1"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        LIST % b"<IsTruncated>true</IsTruncated>",
        LIST % b"<Contents><Key>p/data/x</Key><Size>many</Size></Contents>",
        LIST % b"<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    ],
    ids=["nothing", "a page", "no token", "no size", "the same token for ever"],
)
def test_a_list_that_is_none_is_no_empty_repository(body: bytes, script: Script) -> None:
    storage, _ = script(Answer(body=body))
    with pytest.raises(errors.StorageFailed) as told:
        list(storage.objects())
    assert told.value.key == "s3.failed"


def test_an_object_that_trickles_is_given_up(script: Script) -> None:
    storage, _ = script(Answer())
    with pytest.raises(errors.TimedOut) as told:
        list(storage._chunks(io.BytesIO(b"drop"), timedelta(seconds=-1)))
    assert told.value.key == "s3.too_slow"


def test_a_large_object_may_take_longer(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, _ = script(Answer())
    monkeypatch.setattr(s3, "_SILENCE_SECONDS", 0)
    monkeypatch.setattr(s3, "_SLOWEST", 1)
    assert storage.get("wal/a") == b"hello"
    assert digest_of_hello(storage)
    monkeypatch.setattr(s3, "_SLOWEST", 1 << 60)
    for slow in (lambda: storage.get("wal/a"), lambda: storage.digest(PACK)):
        with pytest.raises(errors.TimedOut) as told:
            slow()
        assert told.value.key == "s3.too_slow"


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.vn:3128")
    monkeypatch.setenv("no_proxy", "inside.vn")

    def proxy(url: str) -> str | None:
        storage = S3Storage("main", Bucket.at(url), Credentials("KEY", "SECRET"))
        endpoint = storage._client._endpoint
        found: str | None = endpoint.http_session._proxy_config.proxy_url_for(endpoint.host)
        return found

    assert proxy("s3:https://far.vn/b") == "http://proxy.vn:3128"
    assert proxy("s3:https://inside.vn/b") is None
