"""Where repository and history lie, how a database is reached: texts that carry no password."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import PlainValidator, WithJsonSchema

from opsd.config.wrong import nearest, wrong

SCHEMES: Final = ("s3", "sftp", "rest")
_URL = r"^(/.*|s3:.+|sftp:.+|rest:https?://.+)$"

# What libpq understands (PostgreSQL 18, "Parameter Key Words"), less the secrets.
_WORDS = (
    "application_name channel_binding client_encoding connect_timeout dbname "
    "fallback_application_name gssdelegation gssencmode gsslib host hostaddr keepalives "
    "keepalives_count keepalives_idle keepalives_interval krbsrvname load_balance_hosts "
    "max_protocol_version min_protocol_version options port replication require_auth requirepeer "
    "requiressl service servicefile ssl_max_protocol_version ssl_min_protocol_version sslcert "
    "sslcertmode sslcompression sslcrl sslcrldir sslkey sslmode sslnegotiation sslrootcert sslsni "
    "target_session_attrs tcp_user_timeout user"
)
KEYWORDS: Final = frozenset(_WORDS.split())
_SECRET: Final = frozenset(
    {"password", "sslpassword", "passfile", "scram_client_key", "scram_server_key"}
)
_SETTING = re.compile(
    r"\s*(?P<word>[^\s=']+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<bare>(?:[^\s\\']|\\.)*))(?=\s|$)",
    re.DOTALL,
)


def read_connection(text: str) -> dict[str, str]:
    """The settings in a libpq keyword string. Raises the error of a validator."""
    settings: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = _SETTING.match(text, at)
        if match is None:
            raise wrong("connection_form")
        value = match["quoted"] if match["quoted"] is not None else match["bare"]
        settings[match["word"]] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        at = match.end()
    return settings


def _connection(found: object) -> str:
    """Quotes only known words: any other part of the text may be a password."""
    if not isinstance(found, str) or re.match(r"postgres(ql)?://", found):
        raise wrong("connection_form")
    settings = read_connection(found)
    for word in settings:
        if word in _SECRET:
            raise wrong("connection_secret", word=word)
        if word not in KEYWORDS:
            raise wrong("connection_word", close=nearest(word, KEYWORDS | _SECRET))
    if not {"dbname", "service"} & settings.keys():
        raise wrong("connection_database")
    return found


def _repository(found: object) -> str:
    if not isinstance(found, str):
        raise wrong("url_form")
    scheme, colon, rest = found.partition(":")
    if found.startswith("/"):
        return found
    if not colon or "/" in scheme:
        raise wrong("url_form")
    if scheme not in SCHEMES:
        raise wrong("url_scheme", found=scheme, close=nearest(scheme, SCHEMES))
    if not rest.strip("/"):
        raise wrong("url_form")
    if _carries_password(rest):
        raise wrong("url_secret")
    if scheme == "rest" and not re.match(r"https?://[^/]", rest):
        raise wrong("url_form")
    return found


def _carries_password(address: str) -> bool:
    """Whether there is `user:password@` in the address."""
    if "://" not in address and not address.startswith("//"):
        return bool(re.match(r"[^/@]*:[^/@]*@", address))
    try:
        return urlsplit(address).password is not None
    except ValueError:
        return "@" in address


def _store(found: object) -> str:
    """As the other addresses: quotes known words only."""
    if not isinstance(found, str) or not found.startswith("postgresql://"):
        raise wrong("store_form")
    try:
        parts = urlsplit(found)
        settings = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise wrong("store_form") from None
    if parts.password is not None:
        raise wrong("store_secret", word="password")
    for word, _ in settings:
        if word in _SECRET:
            raise wrong("store_secret", word=word)
        if word not in KEYWORDS:
            raise wrong("connection_word", close=nearest(word, KEYWORDS | _SECRET))
    if not parts.path.strip("/"):
        raise wrong("store_form")
    return found


StoreUrl = Annotated[
    str,
    PlainValidator(_store),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^postgresql://[^:@/]*(@[^/?]*)?(:[0-9]+)?/[^?]+",
            "examples": ["postgresql://opsd@db.example.vn/opsd?sslmode=verify-full"],
        }
    ),
]
RepositoryUrl = Annotated[
    str,
    PlainValidator(_repository),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _URL,
            "examples": ["/srv/backup/opsd", "s3:https://s3.example.vn/bucket/prefix"],
        }
    ),
]
Connection = Annotated[
    str,
    PlainValidator(_connection),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?!postgres(ql)?://)(?!.*\b(password|sslpassword|passfile)\s*=).*=.*$",
            "examples": ["host=/run/postgresql dbname=dossiers user=opsd_backup"],
        }
    ),
]
