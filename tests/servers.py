"""Servers that do one wrong thing each, and certificates that are wrong in one way each."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """A server on a free port: each connection goes to `serve` in a thread of its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        listening.settimeout(0.05)
        over = threading.Event()
        threading.Thread(target=_accept, args=(listening, serve, over), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()


def _accept(listening: socket.socket, serve: Serve, over: threading.Event) -> None:
    while not over.is_set():
        try:
            opened, _ = listening.accept()
        except TimeoutError:
            continue
        except OSError:
            return
        opened.settimeout(20)
        threading.Thread(target=_one, args=(opened, serve), daemon=True).start()


def _one(opened: socket.socket, serve: Serve) -> None:
    with opened, suppress(OSError):
        serve(opened)


def request(opened: socket.socket) -> bytes:
    """What the client asks, up to the empty line."""
    read = b""
    while b"\r\n\r\n" not in read:
        chunk = opened.recv(4096)
        if not chunk:
            break
        read += chunk
    return read


def silent(opened: socket.socket) -> None:
    """Accepts and says nothing until the client has enough."""
    while opened.recv(4096):
        pass


def reset(opened: socket.socket) -> None:
    """Cuts the connection as a dead process does."""
    opened.recv(1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answering(text: bytes) -> Serve:
    """Says `text` to whatever is asked."""

    def serve(opened: socket.socket) -> None:
        request(opened)
        opened.sendall(text)

    return serve


def page(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def dribbling(text: bytes, gap: float = 0.2) -> Serve:
    """Says `text` byte by byte, for ever."""

    def serve(opened: socket.socket) -> None:
        request(opened)
        opened.sendall(text)
        while True:
            time.sleep(gap)
            opened.sendall(b"x")

    return serve


@dataclass(frozen=True)
class Signed:
    """A certificate with its key, and whoever signed it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as text."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def sign(
    name: str,
    issuer: Signed | None = None,
    *,
    authority: bool = False,
    begins: timedelta = -DAY,
    ends: timedelta = 90 * DAY,
) -> Signed:
    """A certificate for a name or address, by an issuer or by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = issuer.certificate.subject if issuer else subject
    alternative: x509.GeneralName
    try:
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name.replace(" ", "-"))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                (issuer.key if issuer else key).public_key()
            ),
            critical=False,
        )
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Signed(made, key)


def with_tls(directory: Path, chain: list[Signed], serve: Serve) -> Serve:
    """`serve` behind TLS: the first of the chain is the server's own."""
    file = directory / "server.pem"
    file.write_bytes(chain[0].key_pem + b"".join(one.pem for one in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def secured(opened: socket.socket) -> None:
        with context.wrap_socket(opened, server_side=True) as line:
            serve(line)

    return secured
