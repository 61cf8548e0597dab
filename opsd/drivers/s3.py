"""The objects of a repository in a bucket, read by S3's own protocol.

Reading takes two requests, ListObjectsV2 and GetObject, each signed (Signature Version 4). The
standard library does that; boto3 would cost every daemon 40 MiB (docs/adr/0009-s3-door.md).
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from configparser import Error as IniError
from configparser import RawConfigParser
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from opsd import errors
from opsd.clock import now
from opsd.drivers.storage import KINDS, LocalStorage, StoredObject

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5  # doubled after each attempt
_SILENCE_SECONDS = 30.0  # longest wait for a connection and for each piece of an answer
_SLOWEST = 32 << 10  # bytes a second: an object that comes slower is given up
_CHUNK = 1 << 18
_PAGE = 1000  # keys of a list at once, the most that S3 gives
_PAGE_BYTES = 8 << 20  # far above such a list
_EMPTY = hashlib.sha256(b"").hexdigest()
_AMAZON = re.compile(r"(?:.*\.)?(amazonaws\.com(?:\.cn)?)")
_AMAZON_REGION = re.compile(r"s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com.*")
_REGION = "us-east-1"  # what servers without regions expect
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

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


class _Elsewhere(Exception):
    """The bucket lies in another region."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.region = region


@dataclass(slots=True)
class S3Storage:
    """A repository in a bucket. `name` is its name in the configuration, for messages."""

    name: str
    bucket: Bucket
    credentials: Credentials
    region: str = ""  # learnt from the server when it minds
    _trust: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.bucket.secure:
            self._trust = ssl.create_default_context()
        if not self.region:
            found = _AMAZON_REGION.fullmatch(self.bucket.host)
            self.region = found[1] if found else _REGION

    def reach(self) -> None:
        """Raise at once when server, key or bucket do not answer as they should."""
        self._page("", {"max-keys": "1"})

    def objects(self) -> Iterator[StoredObject]:
        """All objects of the four kinds."""
        for kind in KINDS:
            for key, size in self._keys(f"{kind}/"):
                if not key.endswith("/"):  # some servers list directories too
                    yield StoredObject(kind, key.rpartition("/")[2], size)

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

        return self._get(stored, read)

    def key(self, stored: StoredObject) -> str:
        """Where an object lies in the bucket."""
        below = f"{stored.name[:2]}/" if stored.kind == "data" else ""
        return self._below(f"{stored.kind}/{below}{stored.name}")

    # --- the two requests

    def _get(self, stored: StoredObject, read: Callable[[Iterator[bytes]], Read]) -> Read:
        limit = timedelta(seconds=2 * _SILENCE_SECONDS + stored.size / _SLOWEST)
        return self._ask(self.key(stored), {}, lambda answer: read(self._chunks(answer, limit)))

    def _keys(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys and sizes, page by page."""
        more = {"max-keys": str(_PAGE)}
        while True:
            page = self._page(prefix, more)
            for found in page.iterfind("{*}Contents"):
                size = found.findtext("{*}Size", "")
                if not size.isdecimal():
                    raise self._failed("an object without a size")
                yield found.findtext("{*}Key", ""), int(size)
            if page.findtext("{*}IsTruncated") != "true":
                return
            token = page.findtext("{*}NextContinuationToken", "")
            if not token or more.get("continuation-token") == token:
                raise self._failed("the list ends in the middle")
            more["continuation-token"] = token

    def _page(self, prefix: str, more: Mapping[str, str]) -> ET.Element:
        query = {"list-type": "2", "prefix": self._below(prefix), **more}
        body = self._ask("", query, self._body)
        page = _xml(body)
        if page is None or not page.tag.endswith("ListBucketResult"):
            raise self._failed("the answer is no list", body)
        return page

    def _below(self, path: str) -> str:
        return f"{self.bucket.prefix}/{path}" if self.bucket.prefix else path

    # --- how every request goes

    def _ask(
        self,
        key: str,
        query: Mapping[str, str],
        read: Callable[[http.client.HTTPResponse], Read],
    ) -> Read:
        """Ask, and ask again when that may help; what `read` makes of the answer."""
        told: errors.OpsdError | None = None
        for attempt in range(_ATTEMPTS):
            if told is not None:
                time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return self._once(key, query, read)
            except _Again as again:
                told = again.error
            except _Elsewhere as elsewhere:
                self._move(elsewhere.region)
        raise told or self._failed("the server names ever other regions")

    def _once(
        self,
        key: str,
        query: Mapping[str, str],
        read: Callable[[http.client.HTTPResponse], Read],
    ) -> Read:
        path = "/" + quote(f"{self.bucket.name}/{key}".rstrip("/"))
        asked = _query(query)
        headers = signed(self.credentials, self.region, self.bucket.server, path, asked)
        connection = _connection(self.bucket, self._trust)
        try:
            try:
                connection.request("GET", f"{path}?{asked}" if asked else path, headers=headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise _Again(self._unreachable(error)) from error
            if answer.status == HTTPStatus.OK:
                return read(answer)
            raise self._refusal(answer, key)
        finally:
            connection.close()

    def _chunks(self, answer: http.client.HTTPResponse, limit: timedelta) -> Iterator[bytes]:
        """The body, whole: one that was cut off raises."""
        end = time.monotonic() + limit.total_seconds()
        while True:
            try:
                chunk = answer.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _Again(self._unreachable(error)) from error
            if not chunk:
                break
            if time.monotonic() > end:
                raise errors.TimedOut("s3.too_slow", repository=self.name, limit=limit)
            yield chunk
        if answer.length:
            raise _Again(self._unreachable(f"{answer.length} bytes of the answer did not come"))

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """The body of an answer that is no object: a list, or a complaint."""
        body = bytearray()
        for chunk in self._chunks(answer, timedelta(seconds=4 * _SILENCE_SECONDS)):
            body += chunk
            if len(body) > _PAGE_BYTES:
                raise self._failed("the answer does not end", bytes(body))
        return bytes(body)

    def _refusal(self, answer: http.client.HTTPResponse, key: str) -> Exception:
        """What an answer other than OK means."""
        body = self._body(answer)
        told = _xml(body)
        code = told.findtext("{*}Code", "") if told is not None else ""
        region = answer.headers.get("x-amz-bucket-region") or (
            told.findtext("{*}Region", "") if told is not None else ""
        )
        if region and region != self.region and answer.status in {301, 307, 400}:
            return _Elsewhere(region)
        said = (told.findtext("{*}Message", "") if told is not None else "") or _plain(body)
        detail = f"{answer.status} {code}: {said}" if code else f"{answer.status} {said}".strip()
        if code == "NoSuchBucket":
            return errors.BucketMissing("repository.no_bucket", repository=self.name, detail=detail)
        if answer.status == HTTPStatus.NOT_FOUND and key:
            return FileNotFoundError(key)
        if code == "RequestTimeTooSkewed":
            return errors.ClockWrong("clock.s3", repository=self.name, detail=detail)
        if answer.status in _DENIED:
            return errors.AccessDenied("repository.denied", repository=self.name, detail=detail)
        failed = errors.StorageFailed("s3.failed", repository=self.name, detail=detail)
        passing = answer.status >= 500 or answer.status == HTTPStatus.TOO_MANY_REQUESTS
        return _Again(failed) if passing else failed

    def _move(self, region: str) -> None:
        """Ask in another region from now on; Amazon has a server in each."""
        self.region = region
        amazon = _AMAZON.fullmatch(self.bucket.host)
        if amazon:
            host = f"s3.{region}.{amazon[1]}"
            self.bucket = Bucket(
                self.bucket.secure, host, self.bucket.port, self.bucket.name, self.bucket.prefix
            )

    def _unreachable(self, why: Exception | str) -> errors.StorageFailed:
        return errors.StorageFailed("repository.unreachable", repository=self.name, detail=str(why))

    def _failed(self, why: str, body: bytes = b"") -> errors.StorageFailed:
        detail = f"{why}: {_plain(body)}" if body else why
        return errors.StorageFailed("s3.failed", repository=self.name, detail=detail)


def signed(
    credentials: Credentials, region: str, server: str, path: str, query: str
) -> dict[str, str]:
    """The headers of a GET, signed (AWS, "Signature Version 4 signing process"); now."""
    at = now()
    moment, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    headers = {"host": server, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    lines = [f"{name}:{headers[name]}\n" for name in sorted(headers)]
    request = "\n".join(("GET", path, query, "".join(lines), names, _EMPTY))
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _query(query: Mapping[str, str]) -> str:
    """A query string in the order and spelling that is signed."""
    return "&".join(f"{quote(k, safe='')}={quote(query[k], safe='')}" for k in sorted(query))


def _connection(bucket: Bucket, trust: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A connection of its own to the server, through the proxy that the environment names."""
    scheme = "https" if bucket.secure else "http"
    proxy = urllib.request.getproxies().get(scheme, "")
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
    if through is None or not through.hostname or urllib.request.proxy_bypass(bucket.server):
        return _direct(bucket.host, bucket.port, trust)
    connection = _direct(through.hostname, through.port or 80, trust)
    connection.set_tunnel(bucket.host, bucket.port or (443 if bucket.secure else 80))
    return connection


def _direct(
    host: str, port: int | None, trust: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if trust is not None:
        return http.client.HTTPSConnection(host, port, timeout=_SILENCE_SECONDS, context=trust)
    return http.client.HTTPConnection(host, port, timeout=_SILENCE_SECONDS)


def _xml(body: bytes) -> ET.Element | None:
    try:
        return ET.fromstring(body)  # noqa: S314  (expat bounds what entities may grow to)
    except ET.ParseError:
        return None


def _plain(body: bytes) -> str:
    return body[:200].decode(errors="backslashreplace").strip()
