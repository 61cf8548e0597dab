"""The S3 door without a server: addresses, credentials, what is not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsd.drivers.s3 import Bucket, Credentials, S3Storage
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
    ("host", "endpoint", "region"),
    [
        ("s3.amazonaws.com", "https://s3.amazonaws.com", "us-east-1"),
        ("s3.ap-southeast-1.amazonaws.com", *(2 * ("ap-southeast-1",))),
        ("s3.cn-north-1.amazonaws.com.cn", *(2 * ("cn-north-1",))),
        ("s3.example.vn", "https://s3.example.vn", "us-east-1"),
    ],
)
def test_a_host_of_amazon_names_its_region(host: str, endpoint: str, region: str) -> None:
    storage = S3Storage("main", Bucket(True, host, None, "b", ""), Credentials("k", "s"))
    assert endpoint in storage._client.meta.endpoint_url
    assert storage._client.meta.region_name == region


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


def test_nothing_but_the_configuration_says_what_opens_a_bucket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile other]\nregion = xx-1\n[default]\nproxy = no\n")
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_ACCESS_KEY_ID": "ANOTHER",
        "AWS_SECRET_ACCESS_KEY": "another",
        "AWS_SESSION_TOKEN": "another",
        "AWS_REGION": "xx-1",
        "AWS_DEFAULT_REGION": "xx-1",
        "AWS_ENDPOINT_URL_S3": "http://elsewhere.example",
        "AWS_CA_BUNDLE": str(tmp_path / "none"),
        "AWS_DEFAULTS_MODE": "auto",
    }.items():
        monkeypatch.setenv(name, value)
    client = S3Storage("main", Bucket.at("s3:https://host.vn/b"), Credentials("KEY", "S"))._client
    found = client._request_signer._credentials
    assert (found.access_key, found.token, found.method) == ("KEY", None, "explicit")
    assert client.meta.endpoint_url == "https://host.vn"
    assert client.meta.region_name == "us-east-1"
    assert "none" not in str(client._endpoint.http_session._verify)
