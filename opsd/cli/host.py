"""`opsd host`: the machines of the inventory, how they are first met, what sudo must allow."""

from __future__ import annotations

from datetime import timedelta

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import Stopwatch
from opsd.errors import OpsdError, UsageError
from opsd.policy import sudo
from opsd.tasks.respond.enrolling import enroll, shown
from opsd.tasks.respond.hands import Order
from opsd.tasks.respond.means import Means

_ACTIONS = ("list", "test", "sudoers", "enroll")
_PATIENCE = timedelta(seconds=10)


def add(parser: Parser) -> None:
    """What to do, and with which host."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.host.action"))
    parser.add_argument(
        "name",
        nargs="?",
        metavar=say(language, "help.metavar.host"),
        help=say(language, "help.host.name"),
    )
    parser.add_argument(
        "--fingerprint",
        default="",
        metavar="SHA256:...",
        help=say(language, "help.host.fingerprint"),
    )


def run(desk: Desk) -> Answer:
    """List, try, or meet hosts; or print what sudo must allow there."""
    actions = {"list": _list, "test": _test, "sudoers": _sudoers, "enroll": _enroll}
    with means(desk) as held:
        return actions[desk.arguments.action](desk, held)


def _list(desk: Desk, held: Means) -> Answer:
    places = held.reach.places()
    rows = [
        desk.voice.say(
            "host.row", name=name, place=place, playbooks=", ".join(_touching(held, name))
        )
        for name, place in places.items()
    ]
    body = {n: {"place": p, "playbooks": _touching(held, n)} for n, p in places.items()}
    return Answer(ExitCode.DONE, "\n".join(rows) or desk.voice.say("host.none"), {"hosts": body})


def _touching(held: Means, host: str) -> list[str]:
    """The playbooks that may change something there."""
    return [name for name, one in held.playbooks.items() if one.terms.may_touch(host)]


def _test(desk: Desk, held: Means) -> Answer:
    names = [_name(desk)] if desk.arguments.name else list(held.kit.config.hosts)
    found = {name: _tried(desk, held, name) for name in names}
    text = "\n".join(said for said, _ in found.values())
    good = all(fine for _, fine in found.values())
    body = {"hosts": {name: fine for name, (_, fine) in found.items()}}
    return Answer(ExitCode.DONE if good else ExitCode.FAILED, text, body)


def _tried(desk: Desk, held: Means, name: str) -> tuple[str, bool]:
    """Whether a command runs there, and how long that takes; one as root, where one is needed."""
    privileged = any(held.playbooks[one].terms.privileges for one in _touching(held, name))
    try:
        hand = held.reach.hand(name)
        hand.do(Order(("true",), _PATIENCE))
        watch = Stopwatch()
        hand.do(Order(("true",), _PATIENCE))
        elapsed = watch.elapsed()
        root = hand.do(Order(("sudo", "-n", "-l", sudo.TIMEOUT), _PATIENCE)) if privileged else None
    except OpsdError as error:
        return f"{name}: {desk.voice.finding(error)}", False
    milliseconds = round(elapsed.total_seconds() * 1000)
    said = desk.voice.say("host.answers", name=name, milliseconds=milliseconds)
    user = held.kit.config.hosts[name].user
    if root is None or root.exit_code == 0 or user == "root":
        return said, True
    return f"{said}; {desk.voice.say('host.no_sudo', name=name)}", True


def _sudoers(desk: Desk, held: Means) -> Answer:
    name = _name(desk)
    privileges = [
        one for book in _touching(held, name) for one in held.playbooks[book].terms.privileges
    ]
    user = held.kit.config.hosts[name].user
    text = sudo.rules(user, privileges)
    return Answer(ExitCode.DONE, text.rstrip("\n"), {"host": name, "sudoers": text})


def _enroll(desk: Desk, held: Means) -> Answer:
    name, wanted = _name(desk), desk.arguments.fingerprint
    host = held.kit.config.hosts[name]
    if host.address is None:
        raise UsageError("host.is_here", name=name)
    keys = shown(name, host)
    body = {"host": name, "fingerprints": [f"{k.kind} {k.fingerprint}" for k in keys]}
    if not wanted:
        listed = "\n".join(f"  {k.kind}  {k.fingerprint}" for k in keys)
        said = desk.voice.say("host.compare", name=name, address=host.address)
        return Answer(ExitCode.REFUSED, f"{said}\n{listed}", body)
    path = enroll(name, host, keys, wanted)
    return Answer(ExitCode.DONE, desk.voice.say("host.enrolled", name=name, path=path), body)


def _name(desk: Desk) -> str:
    name: str = desk.arguments.name or ""
    if name not in desk.config.hosts:
        raise UsageError("usage.no_host", name=name or '""', known=sorted(desk.config.hosts))
    return name
