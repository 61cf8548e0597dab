"""Certificate expiring: who issued it, for which names, what uses it; it is renewed.

Touches the certificates that the site named, after a person agreed; never a private key by itself.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import CertificateExpiringOptions, Renewal
from opsd.playbook import (
    Answers,
    Condition,
    Effect,
    Facts,
    Occasion,
    Plan,
    Question,
    Step,
    Terms,
    say,
)
from playbooks.looking import asks, attached, probe, subject

EXPIRING = frozenset({"certificate_expires", "certificate_expired"})
SERVED = frozenset({"tls_expired", "certificate_soon"})
_SHOWN = """
timeout -k 1 5 openssl s_client -connect "$1" </dev/null 2>/dev/null |
openssl x509 -noout -checkend "$2"
"""


@dataclass(frozen=True, slots=True)
class CertificateExpiring:
    """Answers a certificate whose end is near, as a file or as it is served."""

    options: CertificateExpiringOptions

    @property
    def terms(self) -> Terms:
        """Who renews it asks an authority in our name: a person says yes."""
        known = self.options.renewals
        return self.options.terms(
            Answers({"certificates": EXPIRING, **dict.fromkeys(known, SERVED)}),
            tuple(argv for one in known.values() for argv in (one.renew, one.reload)),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What stands in it, and what is planned for it already."""
        renewal = self._renewal(found)
        host = renewal.host if renewal else found.host
        path = str(renewal.file) if renewal else subject(found)
        quoted = shlex.quote(path)
        scripts = {
            "certificate": f"openssl x509 -in {quoted} -noout -subject -issuer -dates"
            " -ext subjectAltName 2>&1",
            "renewals": "systemctl list-timers --all --no-pager 2>/dev/null | grep -iE 'cert|acme'",
            "used_by": f"timeout 4 grep -rlsF -- {quoted} /etc --include='*.conf' | head -n 20",
        }
        return asks(host, scripts, timedelta(seconds=6)) if host else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Where the site says how it is renewed, then as it is served."""
        renewal = self._renewal(found)
        host = renewal.host if renewal else found.host
        told = attached(facts, host, ("certificate", "renewals", "used_by"))
        name = str(renewal.file) if renewal else subject(found)
        said = (say("playbook.certificate_expiring.found", file=name, host=host or "-"),)
        return Plan(said, _steps(renewal) if renewal else (), told)

    def _renewal(self, found: Occasion) -> Renewal | None:
        known = self.options.renewals
        here = (
            one
            for one in known.values()
            if (one.host, str(one.file)) == (found.host, subject(found))
        )
        return known.get(probe(found)) or next(here, None)


def _steps(renewal: Renewal) -> tuple[Step, ...]:
    seconds = str(int(renewal.good_for.total_seconds()))
    good = Condition(("openssl", "x509", "-checkend", seconds, "-noout", "-in", str(renewal.file)))
    served = Condition(
        ("sh", "-c", _SHOWN, "sh", str(renewal.serves), seconds), timeout=timedelta(seconds=10)
    )
    renew = Step(
        "renew",
        say("playbook.certificate_expiring.renew", file=str(renewal.file)),
        Effect.CHANGE,
        renewal.host,
        renewal.renew,
        privileged=True,
        done=good,
        timeout=timedelta(minutes=5),
    )
    take = Step(
        "reload",
        say("playbook.certificate_expiring.reload", serves=str(renewal.serves)),
        Effect.CHANGE,
        renewal.host,
        renewal.reload,
        privileged=True,
        requires=(good,),
        done=served,
        repeatable=True,
        shows_within=timedelta(seconds=20),
    )
    return (renew, take)
