"""What the files that guard a port hold, and what is wrong with them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

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


def certificate(guard: Guard) -> ssl.SSLContext | None:
    """What a port shows who connects. Raises `ConfigError`, or `OSError` for the key's file."""
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
    return context


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
