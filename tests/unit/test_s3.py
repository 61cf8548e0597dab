"""The S3 door without a server: addresses, credentials, signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsd.drivers import s3
from opsd.drivers.s3 import Bucket, Credentials, S3Storage, signed
from opsd.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3:https://host.vn/b/a/c", Bucket(True, "host.vn", None, "b", "a/c")),
        ("s3:https://host.vn:9000/b", Bucket(True, "host.vn", 9000, "b", "")),
        ("s3:http://127.0.0.1:8333/b/a/", Bucket(False, "127.0.0.1", 8333, "b", "a")),
        ("s3:host.vn/b/a", Bucket(True, "host.vn", None, "b", "a")),
        ("s3://host.vn/b//a/./c", Bucket(True, "host.vn", None, "b", "a/c")),
        ("s3:s3.amazonaws.com/b", Bucket(True, "s3.amazonaws.com", None, "b", "")),
    ],
)
def test_an_address_is_read_as_restic_reads_it(url: str, expected: Bucket) -> None:
    assert Bucket.at(url) == expected


@pytest.mark.parametrize("url", ["s3:host", "s3:https://host/", "s3:https:///b", "s3:http://h:x/b"])
def test_an_address_without_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Bucket.at(url)
    assert refused.value.key == "s3.address"


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("s3.amazonaws.com", "us-east-1"),
        ("s3.ap-southeast-1.amazonaws.com", "ap-southeast-1"),
        ("s3.dualstack.eu-west-2.amazonaws.com", "eu-west-2"),
        ("s3.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("s3.example.vn", "us-east-1"),
    ],
)
def test_a_host_of_amazon_names_its_region(host: str, region: str) -> None:
    storage = S3Storage("main", Bucket(True, host, None, "b", ""), Credentials("k", "s"))
    assert storage.region == region


def test_credentials_are_the_default_profile_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(
        "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = AK%1\n"
        "aws_secret_access_key = s%cret/+=\naws_session_token = t0ken\n"
    )
    found = Credentials.of(path)
    assert (found.key, found.secret, found.token) == ("AK%1", "s%cret/+=", "t0ken")
    assert "s%cret" not in repr(found)
    assert "t0ken" not in repr(found)


@pytest.mark.parametrize(
    "text", ["", "[default]\n", "[default]\naws_access_key_id = a\n", "hunter2\n", "\0"]
)
def test_a_file_without_a_key_is_refused_and_not_quoted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        Credentials.of(path)
    assert refused.value.key == "s3.credentials"
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_request_is_signed_as_amazon_documents_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon S3 API Reference, "Signature Calculations", example "GET Bucket (List Objects)"."""
    monkeypatch.setattr(s3, "now", lambda: datetime(2013, 5, 24, tzinfo=UTC))
    headers = signed(
        Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "us-east-1",
        "examplebucket.s3.amazonaws.com",
        "/",
        "max-keys=2&prefix=J",
    )
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
