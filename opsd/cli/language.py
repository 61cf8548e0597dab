"""Which language to speak: asked for, set, of the locale, of the configuration, Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from opsd.catalogue import Language
from opsd.config.load import load
from opsd.errors import OpsdError

CONFIG = Path("/etc/opsd/opsd.yaml")
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as POSIX has it


def choose(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language of a command line, before it is parsed: its help needs it already."""
    return (
        _named(value_of(arguments, "--language"))
        or _named(environment.get("OPSD_LANGUAGE", ""))
        or of_locale(environment)
        or _configured(config_path(arguments, environment))
        or Language.VI
    )


def of_locale(environment: Mapping[str, str]) -> Language | None:
    """The language of the locale; none for C, POSIX and languages that opsd does not speak."""
    locale = next((found for name in _LOCALE if (found := environment.get(name))), "")
    return _named(locale.partition(".")[0].partition("@")[0].partition("_")[0])


def config_path(arguments: Sequence[str], environment: Mapping[str, str]) -> Path:
    """The configuration file that a command line means."""
    return Path(value_of(arguments, "--config") or environment.get("OPSD_CONFIG", "") or CONFIG)


def value_of(arguments: Sequence[str], option: str) -> str:
    """The last value of a long option, empty where it is not given."""
    found = ""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == option:
            found = next(iter(arguments[place + 1 : place + 2]), "")
        elif argument.startswith(f"{option}="):
            found = argument.partition("=")[2]
    return found


def _named(text: str) -> Language | None:
    try:
        return Language(text.strip().lower())
    except ValueError:
        return None


def _configured(path: Path) -> Language | None:
    """What the configuration says; its mistakes are told when it is used, not here."""
    try:
        return load(path).language
    except (OpsdError, OSError):
        return None
