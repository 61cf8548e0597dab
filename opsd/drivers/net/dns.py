"""The domain name system itself: one question to one server.

The only door to dnspython, which takes 0.15 s and 7 MiB: it is loaded for the first question.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from opsd.drivers.net.tracing import Blind, Broke, Tracer
from opsd.trace import Cause


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom; without a server, of those of this machine."""

    name: str
    record: str = "A"
    server: str | None = None
    port: int = 53


def ask(question: Question, expected: tuple[str, ...], tracer: Tracer) -> None:
    """Ask, and see whether all that is expected is among the answers."""
    dns = _library()
    resolver = _resolver(question)
    tracer.know(peer=", ".join(str(server) for server in resolver.nameservers))
    with tracer.timed("dns"):
        try:
            found = resolver.resolve(
                question.name, question.record, lifetime=tracer.deadline.left(), search=False
            )
        except dns.exception.Timeout as error:
            raise Broke(Cause.DNS_TIMEOUT, question.name) from error
        except dns.resolver.NXDOMAIN as error:
            raise Broke(Cause.DNS_UNKNOWN, question.name) from error
        except dns.resolver.NoAnswer as error:
            raise Broke(Cause.DNS_EMPTY, f"{question.name} {question.record}") from error
        except (dns.exception.DNSException, OSError) as error:
            raise Broke(Cause.DNS_FAILED, str(error)) from error
    answers = tuple(sorted(record.to_text() for record in found))
    tracer.know(answers=answers)
    with tracer.timed("answer"):
        missing = [one for one in expected if one not in answers]
        if missing:
            detail = f"{', '.join(missing)} ∉ {{{', '.join(answers)}}}"
            raise Broke(Cause.ANSWER_WRONG, detail)


def _library() -> Any:  # noqa: ANN401  (a package with its modules)
    importlib.import_module("dns.resolver")
    return importlib.import_module("dns")


def _resolver(question: Question) -> Any:  # noqa: ANN401  (a dns.resolver.Resolver)
    dns = _library()
    try:
        resolver = dns.resolver.Resolver(configure=question.server is None)
    except dns.exception.DNSException as error:
        raise Blind(str(error)) from error
    if question.server is not None:
        resolver.nameservers = [question.server]
    resolver.port = question.port
    return resolver
