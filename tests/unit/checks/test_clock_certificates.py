"""Clocks, certificates and keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.certificates import Certificates
from checks.clock import Clock
from opsd.check import Answer, Offset, Seen
from opsd.config.machines import CertificatesOptions, ClockOptions
from opsd.model import Status
from tests.asking import NOW, asked, judged, looked, measured, seen

CLOCK = Clock(ClockOptions())
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
TRACKING = (
    "A9FEA97B,169.254.169.123,4,1773135000.1,{0},0.00001,0.00002,1.1,0.0,0.1,0.2,0.1,64.0,{1}"
)


def told(seconds: float, more: str = "", elapsed: float = 0.2) -> tuple[Status, str, float]:
    """What is said of a clock that is so far ahead, answered half way."""
    there = NOW - timedelta(seconds=elapsed / 2) + timedelta(seconds=seconds)
    text = f"{there.timestamp():.9f}\n{more}"
    found = judged(CLOCK, seen(CLOCK, text, elapsed=timedelta(seconds=elapsed)))[""]
    return found.status, found.cause, measured(found)["opsd_host_clock_offset_seconds"]


@pytest.mark.parametrize(
    ("seconds", "status", "cause"),
    [
        (0, Status.OK, ""),
        (0.9, Status.OK, ""),
        (1.5, Status.WARNING, "clock_off"),
        (-1.5, Status.WARNING, "clock_off"),
        (6, Status.CRITICAL, "clock_off"),
        (-86400, Status.CRITICAL, "clock_off"),
    ],
)
def test_what_is_off_is_told(seconds: float, status: Status, cause: str) -> None:
    found = told(seconds)
    assert found[:2] == (status, cause)
    assert found[2] == pytest.approx(seconds, abs=1e-3)


def test_a_slow_way_is_no_wrong_clock() -> None:
    assert told(3, elapsed=8)[0] is Status.OK
    assert told(12, elapsed=8)[0] is Status.CRITICAL


def test_what_the_round_trip_knows_better_counts() -> None:
    text = f"{(NOW - timedelta(seconds=4)).timestamp():.9f}\n"
    seen_late = Seen(NOW, timedelta(seconds=8), {"clock": Answer(text)})
    assert judged(CLOCK, seen_late)[""].status is Status.OK
    exact = Offset(timedelta(seconds=-3), timedelta(milliseconds=5))
    known = Seen(NOW, timedelta(seconds=8), {"clock": Answer(text)}, exact)
    result = judged(CLOCK, known)[""]
    assert (result.status, result.cause) == (Status.WARNING, "clock_off")
    assert measured(result)["opsd_host_clock_offset_seconds"] == -3


@pytest.mark.parametrize(
    ("said", "status", "cause"),
    [
        ("chrony " + TRACKING.format("0.000012", "Normal"), Status.OK, ""),
        ("chrony " + TRACKING.format("-2.5", "Normal"), Status.WARNING, "clock_off"),
        ("chrony " + TRACKING.format("0.0", "Not synchronised"), Status.WARNING, "clock_not_kept"),
        ("chrony 506 Cannot talk to daemon", Status.OK, ""),
        ("ntp leap=00, offset=-0.231", Status.OK, ""),
        ("ntp leap=00, offset=6000.0", Status.CRITICAL, "clock_off"),
        ("ntp leap=11, offset=0.000", Status.WARNING, "clock_not_kept"),
        ("systemd NTPSynchronized=yes", Status.OK, ""),
        ("systemd NTPSynchronized=no", Status.WARNING, "clock_not_kept"),
        ("systemd Failed to connect to bus: Host is down", Status.OK, ""),
    ],
)
def test_what_the_host_says_of_its_own_clock_counts(said: str, status: Status, cause: str) -> None:
    assert told(0, said)[:2] == (status, cause)


@pytest.mark.parametrize("text", ["", "now\n", "1e400\n", "nan\n"])
def test_no_time_is_unknown(text: str) -> None:
    assert judged(CLOCK, seen(CLOCK, text))[""].status is Status.UNKNOWN


def test_the_clock_of_this_machine_is_right() -> None:
    result = judged(CLOCK, looked(CLOCK))[""]
    assert result.cause != "clock_off"


# ------------------------------------------------------------------------------ certificates


def files(*named: Path, keys: tuple[Path, ...] = ()) -> Certificates:
    options = {"files": [str(one) for one in named], "keys": [str(one) for one in keys]}
    return Certificates(CertificatesOptions.model_validate(options))


def certificate(begins: datetime, ends: datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "srv.example.vn")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("begins", "ends", "status", "cause"),
    [
        (-100, 100, Status.OK, ""),
        (-100, 20, Status.WARNING, "certificate_expires"),
        (-100, 6, Status.CRITICAL, "certificate_expires"),
        (-100, -1, Status.CRITICAL, "certificate_expired"),
        (1, 100, Status.CRITICAL, "certificate_not_yet"),
    ],
)
def test_a_certificate_is_judged_by_its_days(
    begins: int, ends: int, status: Status, cause: str, tmp_path: Path
) -> None:
    file = tmp_path / "it's a chain.pem"
    now = datetime.now(UTC).replace(microsecond=0)
    root = certificate(now - 900 * DAY, now + 900 * DAY)
    file.write_text(certificate(now + begins * DAY, now + ends * DAY) + root)
    check = files(file)
    result = judged(check, looked(check))[str(file)]
    assert (result.status, result.cause) == (status, cause)
    expiry = measured(result)["opsd_host_certificate_expiry_timestamp_seconds"]
    assert expiry == (now + ends * DAY).timestamp()


def test_a_key_never_leaves_the_host(tmp_path: Path) -> None:
    file = tmp_path / "both.pem"
    secret = "-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n"
    file.write_text(secret + certificate(NOW, NOW + DAY) + secret)
    check = files(file, keys=(file,))
    (read,) = check.reads()
    answer = asked(read)
    assert "BEGIN CERTIFICATE" in answer.text
    assert "SECRET" not in answer.text


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        (0o600, Status.OK),
        (0o400, Status.OK),
        (0o640, Status.OK),
        (0o660, Status.WARNING),
        (0o644, Status.CRITICAL),
    ],
)
def test_the_rights_of_a_key_are_judged(mode: int, status: Status, tmp_path: Path) -> None:
    key = tmp_path / "srv.key"
    key.write_text("never read")
    key.chmod(mode)
    check = files(keys=(key,))
    result = judged(check, looked(check))[str(key)]
    assert (result.status, result.cause) == (status, "key_exposed" if status else "")


def test_what_is_not_there_or_no_certificate_is_unknown(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n")
    check = files(empty, tmp_path / "gone.pem", keys=(tmp_path / "gone.key",))
    found = judged(check, looked(check))
    assert [one.status for one in found.values()] == [Status.UNKNOWN] * 3
    assert "No such file" in found[str(tmp_path / "gone.pem")].detail


def test_nothing_named_asks_nothing() -> None:
    check = files()
    assert check.reads() == ()
    assert judged(check, seen(check)) == {}
