"""`opsd probe`: ask one service now, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opsd.catalogue import Language, say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.words import Parser
from opsd.config.probes import Scope, target
from opsd.errors import UsageError
from opsd.model import Status
from opsd.policy.blame import Blame
from opsd.report import plain, probes
from opsd.report.probes import Evidence
from opsd.report.voice import Voice
from opsd.tasks.check.around import look_around, whose
from opsd.tasks.check.probing import judge, observe
from opsd.trace import Phase


def add(parser: Parser) -> None:
    """Which probe, and whether to gather evidence."""
    language = parser.language
    parser.add_argument(
        "name", metavar=say(language, "help.metavar.probe"), help=say(language, "help.probe_name")
    )
    parser.add_argument(
        "--evidence",
        type=Path,
        metavar=say(language, "help.metavar.file"),
        help=say(language, "help.evidence"),
    )


def run(desk: Desk) -> Answer:
    """The verdict, with each phase as it ends where that is wanted."""
    name = desk.arguments.name
    if name not in desk.config.probes:
        raise UsageError("usage.no_probe", name=name, known=sorted(desk.config.probes))
    return _gathered(desk, name) if desk.arguments.evidence else _asked(desk, name)


def _asked(desk: Desk, name: str) -> Answer:
    probe = desk.config.probes[name]
    trace = observe(probe, on_phase=_telling(desk))
    results = judge(probe, trace)
    text = probes.results(desk.voice, results)
    if desk.arguments.debug and (known := probes.facts(desk.voice, trace.facts)):
        text = f"{known}\n\n{text}"
    body = plain.probe(desk.voice, name, trace, results)
    if probe.scope is Scope.UPSTREAM and results[0].status is Status.CRITICAL:
        found = whose(desk.config, name, trace, results[0])
        text += "\n" + probes.blamed(desk.voice, found)
        body |= _plain(found)
    return Answer(results[0].status, text, body)


def _plain(found: Blame) -> dict[str, object]:
    return {"blame": {"side": found.side.value, "because": found.key}}


def _gathered(desk: Desk, name: str) -> Answer:
    probe, path = desk.config.probes[name], desk.arguments.evidence
    looked = look_around(desk.config, name, on_phase=_telling(desk))
    told = Evidence(
        probe.title or name,
        f"{probe.kind} {target(probe)}",
        looked.trace,
        looked.results,
        looked.blame,
        looked.around,
        looked.way,
    )
    voices = [Voice(language, desk.config.zone) for language in Language]
    path.write_text(probes.evidence(voices, told), encoding="utf-8")
    said = (
        probes.results(desk.voice, looked.results),
        probes.blamed(desk.voice, looked.blame),
        desk.voice.say("probe.evidence_written", path=path),
    )
    body = plain.probe(desk.voice, name, looked.trace, looked.results)
    return Answer(looked.results[0].status, "\n".join(said), {**body, **_plain(looked.blame)})


def _telling(desk: Desk) -> Callable[[Phase], None]:
    """Shows each phase as it ends, where a person wants to see it."""

    def tell(one: Phase) -> None:
        if desk.arguments.debug and not desk.json:
            print(probes.phase(desk.voice, one), flush=True)

    return tell
