"""TLS: the handshake, and what the certificates say even when they cannot be trusted.

The only door to cryptography, which takes 0.1 s and 16 MiB: it is loaded for the first certificate.
"""

from __future__ import annotations

import importlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsd.drivers.net.connection import Place, reopen
from opsd.drivers.net.tracing import Blind, Broke, Deadline, Tracer
from opsd.trace import Cause, Certificate

# OpenSSL's numbers (x509_vfy.h).
_EARLY, _EXPIRED, _SELF_SIGNED, _NAME, _IP = 9, 10, 18, 62, 64
_ISSUER_NOT_FOUND = {2, 20, 21}
_CAUSES = {
    _EARLY: Cause.TLS_EARLY,
    _EXPIRED: Cause.TLS_EXPIRED,
    _SELF_SIGNED: Cause.TLS_SELF_SIGNED,
    _NAME: Cause.TLS_NAME,
    _IP: Cause.TLS_NAME,
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe, and which name the certificate must carry."""

    server_name: str
    ca_file: Path | None = None


def secure(opened: socket.socket, place: Place, trust: Trust, tracer: Tracer) -> ssl.SSLSocket:
    """The connection with TLS on it. Its certificate is told even when it is refused."""
    context = _trusting(trust)
    _library()  # now, so that loading it is no part of the phase
    with tracer.timed("tls"):
        try:
            secured = _shake_hands(opened, context, trust.server_name, tracer.deadline)
        except ssl.SSLCertVerificationError as error:
            certificate = _look(place, trust, tracer)
            tracer.know(certificate=certificate)
            cause = _cause(error.verify_code, certificate)
            raise Broke(cause, error.verify_message) from error
        except ssl.SSLEOFError as error:
            raise Broke(Cause.TLS_RESET, error.reason or "") from error
        except ssl.SSLError as error:
            raise Broke(Cause.TLS_FAILED, error.reason or str(error)) from error
        tracer.know(certificate=_certificate(secured, verified=True))
    return secured


def _trusting(trust: Trust) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=trust.ca_file)
    except OSError as error:
        raise Blind(f"{trust.ca_file}: {error.strerror or error}") from error


def _shake_hands(
    opened: socket.socket, context: ssl.SSLContext, name: str, deadline: Deadline
) -> ssl.SSLSocket:
    opened.settimeout(deadline.left())
    secured = context.wrap_socket(
        opened, server_hostname=name.rstrip("."), do_handshake_on_connect=False
    )
    try:
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def _look(place: Place, trust: Trust, tracer: Tracer) -> Certificate | None:
    """The certificate of a server that is not believed, by a second connection."""
    blindly = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blindly.check_hostname = False
    blindly.verify_mode = ssl.CERT_NONE  # nothing is said on this connection: we only look
    try:
        opened = reopen(place, tracer.facts.peer, tracer.deadline)
        with _shake_hands(opened, blindly, trust.server_name, tracer.deadline) as secured:
            return _certificate(secured, verified=False)
    except (OSError, Broke):
        return None


def _cause(code: int, certificate: Certificate | None) -> Cause:
    alone = certificate is not None and certificate.chain == 1
    if code in _ISSUER_NOT_FOUND and alone:
        return Cause.TLS_INCOMPLETE
    return _CAUSES.get(code, Cause.TLS_UNTRUSTED)


def _library() -> Any:  # noqa: ANN401  (a module)
    return importlib.import_module("cryptography.x509")


def _certificate(secured: ssl.SSLSocket, *, verified: bool) -> Certificate | None:
    """What the chain says; nothing where it cannot be read."""
    # Public as `SSLSocket.get_verified_chain` from Python 3.13 on; the same calls are here before.
    inner: Any = secured._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    chain = inner.get_verified_chain() if verified else inner.get_unverified_chain()
    try:
        load = _library().load_pem_x509_certificate
        read = [load(one.public_bytes().encode()) for one in chain or ()]
        return _told(read, verified=verified, protocol=secured.version() or "") if read else None
    except ValueError:
        return None


def _told(chain: Sequence[Any], *, verified: bool, protocol: str) -> Certificate:
    own = chain[0]
    return Certificate(
        subject=_short(own.subject),
        issuer=_short(own.issuer),
        names=_names(own),
        begins=own.not_valid_before_utc,
        ends=min(one.not_valid_after_utc for one in chain),
        chain=len(chain),
        verified=verified,
        protocol=protocol,
    )


def _short(name: Any) -> str:  # noqa: ANN401  (an x509.Name)
    found = name.get_attributes_for_oid(_library().NameOID.COMMON_NAME)
    return str(found[0].value if found else name.rfc4514_string())


def _names(own: Any) -> tuple[str, ...]:  # noqa: ANN401  (an x509.Certificate)
    x509 = _library()
    try:
        listed = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(one.value) for one in listed)
