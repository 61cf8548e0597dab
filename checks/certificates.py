"""Certificates: when do those in files expire, and who may read the keys?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.machines import CertificatesOptions
from opsd.drivers import pem
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_most

# Only what stands between BEGIN and END CERTIFICATE leaves the host, never a key beside it.
SCRIPT = """
cert() { echo "= $1"; sed -n '/-BEGIN.* CERTIFICATE-/,/-END.* CERTIFICATE-/p' "$2" 2>&1; }
key() { echo "= $1"; stat -Lc 'key %a %U' -- "$2" 2>&1; }
"""
_KEY = re.compile(r"key (?P<mode>[0-7]{3,4}) (?P<owner>\S+)")
_TOO_MUCH = 0o037  # of a group, more than reading; of others, anything
_OF_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class Certificates(Plain):
    """Judges each file that is named."""

    options: CertificatesOptions

    def reads(self) -> tuple[Read, ...]:
        """All files in one read; nothing where none is named."""
        own = self.options
        asked = [
            *(f"cert {number} {_quoted(path)}" for number, path in enumerate(own.files)),
            *(f"key {len(own.files) + n} {_quoted(path)}" for n, path in enumerate(own.keys)),
        ]
        if not asked:
            return ()
        return (Read("certificates", SCRIPT + "\n".join(asked) + "\n:", timedelta(seconds=5)),)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a file."""
        reads, own = self.reads(), self.options
        if not reads:
            return ()
        answer = found.seen.answers[reads[0].name]
        if not answer.good:
            return (unreadable(reads[0], answer),)
        said = parse(answer.text)
        return (
            *(
                self._certificate(str(path), said.get(n, ""), found.seen.at)
                for n, path in enumerate(own.files)
            ),
            *(_key(str(path), said.get(len(own.files) + n, "")) for n, path in enumerate(own.keys)),
        )

    def _certificate(self, path: str, said: str, now: datetime) -> CheckResult:
        spans = pem.spans(said)
        if not spans:
            return _unknown("certificate_unreadable", path, said)
        begins, ends = max(span.begins for span in spans), min(span.ends for span in spans)
        left = ends - now
        own = self.options
        status = at_most(
            left.total_seconds(), own.warning.total_seconds(), own.critical.total_seconds()
        )
        cause = "" if status is Status.OK else "certificate_expires"
        if left <= timedelta():
            cause = "certificate_expired"
        elif begins > now:
            status, cause = Status.CRITICAL, "certificate_not_yet"
        return CheckResult(
            status,
            f"check.certificates.{cause or 'valid'}",
            {"file": path, "left": abs(left), "ends": ends, "begins": begins},
            cause=cause,
            subject=path,
            measurements=(
                Measurement(
                    "opsd_host_certificate_expiry_timestamp_seconds",
                    ends.timestamp(),
                    {"file": path},
                ),
            ),
        )


def parse(text: str) -> Mapping[int, str]:
    """What was said of each file, by its number."""
    parts = re.split(r"^= (\d+)\n", text, flags=re.MULTILINE)
    return {int(number): said for number, said in zip(parts[1::2], parts[2::2], strict=True)}


def _key(path: str, said: str) -> CheckResult:
    found = _KEY.fullmatch(said.strip())
    if found is None:
        return _unknown("key_unreadable", path, said)
    mode = int(found["mode"], 8)
    exposed = mode & _TOO_MUCH
    status = Status.CRITICAL if mode & _OF_OTHERS else Status.WARNING if exposed else Status.OK
    cause = "key_exposed" if exposed else ""
    return CheckResult(
        status,
        f"check.certificates.{cause or 'key_kept'}",
        {"file": path, "mode": found["mode"], "owner": found["owner"]},
        cause=cause,
        subject=path,
    )


def _unknown(cause: str, path: str, said: str) -> CheckResult:
    return CheckResult(
        Status.UNKNOWN, f"check.certificates.{cause}", {"file": path}, said, cause, path
    )


def _quoted(path: object) -> str:
    return shlex.quote(str(path))
