"""Mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from opsd.drivers.notify.letter import Letter
from opsd.errors import ChannelFailed


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and how it is spoken to: `starttls`, `tls` or `none`."""

    host: str
    port: int
    security: str
    timeout: float
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


def send(server: Server, sender: str, letter: Letter) -> None:
    """Hand a letter to a mail server. Raises `ChannelFailed`."""
    try:
        with _opened(server) as session:
            if server.user and server.password_file:
                password = server.password_file.read_text(encoding="utf-8").strip()
                session.login(server.user, password)
            session.send_message(_message(sender, letter))
    except smtplib.SMTPAuthenticationError as error:
        raise _failed(server, "auth", f"{error.smtp_code}") from error
    except smtplib.SMTPException as error:
        raise _failed(server, "refused", _short(error)) from error
    except ssl.SSLError as error:
        raise _failed(server, "tls", _short(error)) from error
    except TimeoutError as error:
        raise _failed(server, "timeout", _short(error)) from error
    except (OSError, ValueError) as error:
        raise _failed(server, "connect", _short(error)) from error


def _opened(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file)
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
    session = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    if server.security == "starttls":
        try:
            session.starttls(context=context)
        except BaseException:
            with suppress(OSError):
                session.close()
            raise
    return session


def _message(sender: str, letter: Letter) -> EmailMessage:
    """The letter as mail. The same letter bears the same id however often it is sent."""
    message = EmailMessage()
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{letter.host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _failed(server: Server, reason: str, detail: str) -> ChannelFailed:
    return ChannelFailed("notify.mail", reason=reason, host=server.host, detail=detail)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
