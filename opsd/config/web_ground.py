"""What the files that guard a port hold, and what is wrong with them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from opsd.config import users
from opsd.config.mistakes import Finding
from opsd.config.schema import Config, Location
from opsd.config.secret import Secret
from opsd.config.web import Guard
from opsd.errors import ConfigError


def named_secrets(config: Config) -> Iterator[tuple[Location, Secret]]:
    """The secrets of the ports, with the option that names each."""
    for name, guard in config.web.guards.items():
        for what, secret in (("key", guard.key), ("users", guard.users)):
            if secret:
                option = f"{what}_file" if secret.file else f"{what}_credential"
                yield ("web", name, option), secret
    webhook = config.webhook
    if webhook is not None and webhook.token is not None:
        option = "token_file" if webhook.token_file else "token_credential"
        yield ("webhook", option), webhook.token


def examine(config: Config) -> Iterator[Finding]:
    """What is wrong with certificates and users; that secrets can be read is told elsewhere."""
    for name, guard in config.web.guards.items():
        for option, read in (("certificate_file", certificate), ("users_file", known)):
            try:
                read(guard)
            except ConfigError as error:
                yield Finding(("web", name, option), error.key, error.fields)
            except OSError:
                continue
    if config.webhook is not None and config.webhook.client_ca_file is not None:
        try:
            trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), config.webhook.client_ca_file)
        except ConfigError as error:
            yield Finding(("webhook", "client_ca_file"), error.key, error.fields)


def certificate(guard: Guard, client_ca: Path | None = None) -> ssl.SSLContext | None:
    """What a port shows who connects. Raises `ConfigError`, or `OSError` for the key's file.

    With `client_ca` clients may show a certificate of that authority; they need not.
    """
    if guard.certificate_file is None or guard.key is None:
        return None
    path, key = guard.certificate_file, guard.key.path()
    with key.open("rb"):
        pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(path, key, password=_no_passphrase)
    except FileNotFoundError as error:
        raise ConfigError("config.certificate_missing", path=path) from error
    except PermissionError as error:
        raise ConfigError("config.certificate_forbidden", path=path) from error
    except ssl.SSLError as error:
        fits = error.reason != "KEY_VALUES_MISMATCH"
        sentence = "config.certificate_wrong" if fits else "config.certificate_other_key"
        raise ConfigError(sentence, path=path, other=key) from error
    if client_ca is not None:
        trust(context, client_ca)
    return context


def trust(context: ssl.SSLContext, client_ca: Path) -> None:
    """Believe the certificates of clients that this authority gave. Raises `ConfigError`."""
    try:
        context.load_verify_locations(client_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("config.client_ca_wrong", path=client_ca) from error
    context.verify_mode = ssl.CERT_OPTIONAL


def known(guard: Guard) -> Mapping[str, users.Hashed] | None:
    """Who may ask; None when anybody may. Raises `ConfigError` or `OSError`."""
    if guard.users is None:
        return None
    path = guard.users.path()
    try:
        return users.parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError("config.user_line", number=1) from error


def _no_passphrase() -> str:
    raise ConfigError("config.key_passphrase")
