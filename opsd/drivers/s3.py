"""The objects of a repository in a bucket, through boto3.

boto3 takes 0.2 s and 23 MiB: it is loaded when the first bucket is met, and a site
without one never pays for it (docs/adr/0009-s3-door.md).
"""

from __future__ import annotations

import hashlib
import importlib
import math
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from configparser import Error as IniError
from configparser import RawConfigParser
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from opsd import errors
from opsd.drivers.storage import (
    KINDS,
    LOCKS,
    OWN,
    LocalStorage,
    OwnObject,
    StoredObject,
    is_name,
)

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5  # doubled after each attempt
_SILENCE_SECONDS = 30.0  # longest wait for a connection and for each piece of an answer
_SLOWEST = 32 << 10  # bytes a second: an object that comes slower is given up
_CHUNK = 1 << 18
_PAGE = 1000  # keys of a list at once, the most that S3 gives
_AMAZON_HOST = re.compile(r"s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?")
_REGION = "us-east-1"  # what servers without regions expect
# Of a write that asks for a new name: it is there, or somebody else writes it right now.
_TAKEN = frozenset({HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT})
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Only the configuration says where a bucket is and what opens it: no file of AWS' own tools, no
# variable of the environment.
_NOT_ASKED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}
_one_at_a_time = threading.Lock()  # making clients; using them takes no lock

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a repository lies: the server, the bucket, and what all its keys begin with."""

    secure: bool
    host: str
    port: int | None
    name: str
    prefix: str

    @property
    def server(self) -> str:
        """The server as the header `Host` names it."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @staticmethod
    def at(url: str) -> Bucket:
        """Read an address the way restic does: `s3:https://host/bucket/prefix`, `s3:host/bucket`.

        Raises `ConfigError` when no bucket is in it.
        """
        address = url.removeprefix("s3:")
        if not address.startswith(("http://", "https://")):
            address = "https://" + address.removeprefix("//")
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        bucket, _, prefix = parts.path.strip("/").partition("/") if host else ("", "", "")
        if not host or not bucket:
            raise errors.ConfigError("s3.address")
        clean = "/".join(part for part in prefix.split("/") if part not in {"", "."})
        return Bucket(parts.scheme == "https", host, port, bucket, clean)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. Its secret halves are never shown."""

    key: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    @staticmethod
    def of(path: Path) -> Credentials:
        """Read the profile `default` of an AWS shared-credentials file. Raises `ConfigError`."""
        parser = RawConfigParser()
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
            found = parser["default"]
            return Credentials(
                found["aws_access_key_id"],
                found["aws_secret_access_key"],
                found.get("aws_session_token", ""),
            )
        except (OSError, UnicodeDecodeError, IniError, KeyError):
            # Not chained: a parser's error quotes the line, and the line may be the secret.
            raise errors.ConfigError("s3.credentials", path=path) from None


class _Again(Exception):
    """What went wrong may go right at once; `error` is told when it never does."""

    def __init__(self, error: errors.OpsdError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class S3Storage:
    """A repository in a bucket. `name` is its name in the configuration, for messages."""

    name: str
    bucket: Bucket
    credentials: Credentials
    _client: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with _one_at_a_time:
            self._client = _client(self.bucket, self.credentials)

    def reach(self) -> None:
        """Raise at once when server, key or bucket do not answer as they should.

        One that says nothing at all is waited for once.
        """
        self._page(self._below(""), "", 1, _SILENCE_SECONDS)

    def objects(self) -> Iterator[StoredObject]:
        """All objects of the four kinds."""
        for kind in KINDS:
            for key, size in self._keys(self._below(f"{kind}/")):
                if not key.endswith("/"):  # some servers list directories too
                    yield StoredObject(kind, key.rpartition("/")[2], size)

    def locks(self) -> tuple[str, ...]:
        """The names of the locks that lie there."""
        keys = (key.rpartition("/")[2] for key, _ in self._keys(self._below(f"{LOCKS}/")))
        return tuple(filter(is_name, keys))

    def digest(self, stored: StoredObject) -> str:
        """Read an object whole and give its SHA-256. Raises `OSError` when it is not there."""

        def read(chunks: Iterator[bytes]) -> str:
            digest = hashlib.sha256()
            for chunk in chunks:
                digest.update(chunk)
            return digest.hexdigest()

        return self._get(stored, read)

    def fetch(self, stored: StoredObject, target: Path) -> Path:
        """Copy an object into a storage below `target` and give its path there."""
        copy = LocalStorage(target).path(stored)
        copy.parent.mkdir(parents=True)

        def read(chunks: Iterator[bytes]) -> Path:
            with copy.open("wb") as file:
                file.writelines(chunks)
            return copy

        try:
            return self._get(stored, read)
        except FileNotFoundError as error:
            detail = str(error)
            raise errors.StorageFailed(
                "repository.unreadable", path=stored.name, detail=detail
            ) from error

    def own(self, below: str) -> Iterator[OwnObject]:
        """The objects of opsd's own whose names begin with `below` and a slash."""
        root = self._below(f"{OWN}/")
        for found in self._listed(f"{root}{below}/"):
            if not found["Key"].endswith("/"):
                name = found["Key"].removeprefix(root)
                yield OwnObject(name, found["Size"], found["LastModified"])

    def put(self, name: str, content: bytes) -> None:
        """Write an object of opsd's own."""
        key = self._below(f"{OWN}/{name}")
        self._ask(
            lambda: self._client.put_object(Bucket=self.bucket.name, Key=key, Body=content), key
        )

    def put_new(self, name: str, content: bytes) -> None:
        """Write an object of opsd's own where there is none; a server that cannot tell refuses."""
        key = self._below(f"{OWN}/{name}")
        self._ask(
            lambda: self._client.put_object(
                Bucket=self.bucket.name, Key=key, Body=content, IfNoneMatch="*"
            ),
            key,
        )

    def get(self, name: str) -> bytes:
        """Read an object of opsd's own."""
        return self._read(self._below(f"{OWN}/{name}"), None, b"".join)

    def remove(self, name: str) -> None:
        """Remove an object of opsd's own; S3 passes over one that is not there."""
        key = self._below(f"{OWN}/{name}")
        self._ask(lambda: self._client.delete_object(Bucket=self.bucket.name, Key=key))

    def key(self, stored: StoredObject) -> str:
        """Where an object lies in the bucket."""
        below = f"{stored.name[:2]}/" if stored.kind == "data" else ""
        return self._below(f"{stored.kind}/{below}{stored.name}")

    def _below(self, path: str) -> str:
        return f"{self.bucket.prefix}/{path}" if self.bucket.prefix else path

    # --- the two requests

    def _get(self, stored: StoredObject, read: Callable[[Iterator[bytes]], Read]) -> Read:
        return self._read(self.key(stored), stored.size, read)

    def _read(self, key: str, size: int | None, read: Callable[[Iterator[bytes]], Read]) -> Read:
        """Read an object in the time that its size takes: as it was listed, or as is answered."""

        def ask() -> Read:
            answer = self._client.get_object(Bucket=self.bucket.name, Key=key)
            most = answer.get("ContentLength", 0) if size is None else size
            limit = timedelta(seconds=4 * _SILENCE_SECONDS + most / _SLOWEST)
            with closing(
                answer["Body"]
            ) as body:  # as a context it gives a stream that may end early
                return read(self._chunks(body, limit))

        return self._ask(ask, key)

    def _keys(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys and sizes."""
        yield from ((found["Key"], found["Size"]) for found in self._listed(prefix))

    def _listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        """What is listed, page by page."""
        token = ""
        while True:
            page = self._page(prefix, token, _PAGE)
            yield from page.get("Contents", ())
            before, token = token, page.get("NextContinuationToken", "")
            if not page["IsTruncated"]:
                return
            if token in {"", before}:
                raise self._failed("the list ends in the middle")

    def _page(
        self, prefix: str, token: str, most: int, patience: float = math.inf
    ) -> dict[str, Any]:
        """A page of the list. What does not say whether it ends is none: the parser takes all."""
        more = {"ContinuationToken": token} if token else {}
        page: dict[str, Any] = self._ask(
            lambda: self._client.list_objects_v2(
                Bucket=self.bucket.name, Prefix=prefix, MaxKeys=most, **more
            ),
            patience=patience,
        )
        if "IsTruncated" not in page:
            raise self._failed("the answer is no list")
        return page

    # --- how every request goes

    def _ask(self, ask: Callable[[], Read], key: str = "", patience: float = math.inf) -> Read:
        """Ask, and ask again when that may help, while there is patience."""
        told: errors.OpsdError = self._failed("not asked")
        end = time.monotonic() + patience
        for attempt in range(_ATTEMPTS):
            if attempt:
                if time.monotonic() >= end:
                    break
                time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return self._translated(ask, key)
            except _Again as again:
                told = again.error
        raise told

    def _translated(self, ask: Callable[[], Read], key: str) -> Read:
        foreign = importlib.import_module("botocore.exceptions")
        try:
            return ask()
        except foreign.ClientError as error:
            raise self._refusal(error.response, key) from error
        except (
            foreign.ConnectionError,
            foreign.HTTPClientError,
            foreign.IncompleteReadError,
        ) as error:
            raise _Again(self._unreachable(error)) from error
        except (foreign.BotoCoreError, ValueError) as error:
            raise self._failed(str(error)) from error

    def _chunks(self, body: Any, limit: timedelta) -> Iterator[bytes]:  # noqa: ANN401  (botocore's)
        """The body, whole: one that was cut off raises."""
        end = time.monotonic() + limit.total_seconds()
        while chunk := body.read(_CHUNK):
            if time.monotonic() > end:
                raise errors.TimedOut("s3.too_slow", repository=self.name, limit=limit)
            yield chunk

    def _refusal(self, answer: dict[str, Any], key: str) -> Exception:
        """What an answer other than OK means."""
        status = int(answer["ResponseMetadata"]["HTTPStatusCode"])
        code, said = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
        detail = f"{status} {code}: {said}"
        if code == "NoSuchBucket":
            return errors.BucketMissing("repository.no_bucket", repository=self.name, detail=detail)
        if status == HTTPStatus.NOT_FOUND and key:
            return FileNotFoundError(key)
        if status in _TAKEN:
            return FileExistsError(key)
        if code == "RequestTimeTooSkewed":
            return errors.ClockWrong("clock.s3", repository=self.name, detail=detail)
        if status in _DENIED:
            return errors.AccessDenied("repository.denied", repository=self.name, detail=detail)
        passing = status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS
        failed = self._failed(detail)
        return _Again(failed) if passing else failed

    def _unreachable(self, why: Exception) -> errors.StorageFailed:
        return errors.StorageFailed("repository.unreachable", repository=self.name, detail=str(why))

    def _failed(self, why: str) -> errors.StorageFailed:
        return errors.StorageFailed("s3.failed", repository=self.name, detail=why)


def _client(bucket: Bucket, credentials: Credentials) -> Any:  # noqa: ANN401  (boto3 has no types)
    """A client that asks once: how often is asked is decided here, for bodies as well."""
    config = importlib.import_module("botocore.config").Config(
        connect_timeout=_SILENCE_SECONDS,
        read_timeout=_SILENCE_SECONDS,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        signature_version="s3v4",
        defaults_mode="legacy",  # no word of the environment, no question to instance metadata
        ignore_configured_endpoint_urls=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    scheme = "https" if bucket.secure else "http"
    amazon = _AMAZON_HOST.fullmatch(bucket.host) if bucket.secure and not bucket.port else None
    return _session().client(
        "s3",
        # Amazon has a server in each region, and boto3 knows which.
        endpoint_url=None if amazon else f"{scheme}://{bucket.server}",
        region_name=(amazon[1] if amazon else None) or _REGION,
        aws_access_key_id=credentials.key,
        aws_secret_access_key=credentials.secret,
        aws_session_token=credentials.token or None,
        verify=ssl.get_default_verify_paths().cafile or True,
        config=config,
    )


@cache
def _session() -> Any:  # noqa: ANN401  (boto3 has no types)
    core = importlib.import_module("botocore.session").Session(session_vars=_NOT_ASKED)
    return importlib.import_module("boto3").Session(botocore_session=core)
