"""How incidents are answered, for people: playbooks, plans, responses, and why nothing was done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from opsd.model import Finding
from opsd.playbook import Condition, Playbook, Step, Terms
from opsd.policy.guards import Refusal
from opsd.policy.plans import Live, Planned
from opsd.report import layout, text
from opsd.report.voice import Voice
from opsd.response import Attempt, Breaker, Response, Switch

_LONG = 400


def shelf(voice: Voice, found: Mapping[str, Playbook]) -> str:
    """Every playbook in one line."""
    rows = [
        (name, voice.word("consent", one.terms.consent.value), _title(voice, name, one.terms))
        for name, one in found.items()
    ]
    return layout.fields((name, f"{title} ({consent})") for name, consent, title in rows)


def shown(voice: Voice, name: str, terms: Terms) -> str:
    """The terms of one playbook."""
    limits, say = terms.limits, voice.say
    checks = [f"{c} ({', '.join(sorted(w)) or '*'})" for c, w in terms.answers.checks.items()]
    hosts = ", ".join(sorted(terms.hosts)) if terms.hosts else say("respond.every_host")
    rows = (
        ("answers", ", ".join((*checks, *sorted(terms.answers.alerts)))),
        ("touches", hosts),
        ("never", ", ".join(sorted(terms.never))),
        ("consent", voice.word("consent", terms.consent.value)),
        ("expires", voice.duration(terms.expires_after)),
        ("limits", say("respond.limits", **_limits(terms))),
        (
            "breaker",
            say("respond.limit", count=limits.breaker_after, within=limits.breaker_within),
        ),
        ("privileges", "; ".join(shlex.join(one) for one in terms.privileges)),
    )
    title = f"{name}: {_title(voice, name, terms)}"
    told = [(say(f"respond.label.{key}"), value) for key, value in rows if value]
    return text.joined(title, layout.fields(told, indent="  "))


def _title(voice: Voice, name: str, terms: Terms) -> str:
    """What it is called: a site's own says it itself."""
    return terms.title or voice.word("playbook", name)


def _limits(terms: Terms) -> dict[str, object]:
    limits = terms.limits
    return {
        "hosts": limits.hosts_at_once,
        "cooldown": limits.cooldown,
        "per_host": limits.per_host,
        "in_total": limits.in_total,
        "within": limits.within,
    }


def planned(voice: Voice, made: Planned, live: Sequence[Live]) -> str:
    """What would be done, why, and what stands against it."""
    return text.joined(
        "\n".join(voice.finding(one) for one in made.plan.diagnosis),
        "\n".join(steps(voice, made.plan.steps, live)),
        refused(voice, made.refusals),
        voice.say("respond.digest", digest=made.digest) if made.plan.steps else "",
    )


def refused(voice: Voice, found: Sequence[Refusal]) -> str:
    """What stands against it."""
    if not found:
        return ""
    said = [layout.hang("  - ", voice.finding(one.said)) for one in found]
    return "\n".join((voice.say("respond.against"), *said))


def steps(voice: Voice, found: Sequence[Step], live: Sequence[Live] = ()) -> Iterator[str]:
    """Each step to the letter."""
    for number, step in enumerate(found, 1):
        where = step.host or "opsd"
        yield f"{number}. {voice.finding(step.purpose)}  [{step.id}]"
        told = [(_word(voice, "runs"), f"{where}: {_command(step)}")]
        told += [(_word(voice, "requires"), _condition(one)) for one in step.requires]
        told += [(_word(voice, "now"), _live(voice, one)) for one in live if one.step == step.id]
        if step.done is not None:
            told.append((_word(voice, "done"), _condition(step.done)))
        undo = shlex.join(step.undo) if step.undo else voice.say("respond.no_undo")
        told.append((_word(voice, "undo"), undo))
        told.append((_word(voice, "deadline"), voice.duration(step.timeout)))
        yield layout.fields(told, indent="   ")


def response(voice: Voice, one: Response, attempts: Sequence[Attempt]) -> str:
    """How a response went."""
    ending = voice.word("ending", one.ending.value) if one.ending else voice.say("respond.open")
    lines = [f"{one.id}  {one.playbook}  {voice.moment(one.opened_at)}  {ending}"]
    for attempt in attempts:
        end = attempt.end
        fate = voice.word("fate", end.fate.value) if end else voice.say("respond.open")
        undo = f" ({_word(voice, 'undo')})" if attempt.intent.undoing else ""
        lines.append(f"  {attempt.intent.step}{undo}: {fate}")
        if end is not None and end.output.strip():
            lines.append(layout.hang("    ", _short(end.output.strip())))
        if end is not None and end.said is not None:
            lines.append(layout.hang("    ", voice.finding(end.said)))
    if one.said is not None:
        lines.append(layout.hang("  ", voice.finding(one.said)))
    return "\n".join(lines)


def findings(voice: Voice, found: Sequence[Finding]) -> str:
    """Sentences, one below the other."""
    return "\n".join(layout.hang("  - ", voice.finding(one)) for one in found)


def _word(voice: Voice, name: str) -> str:
    return voice.say(f"respond.label.{name}")


def _command(step: Step) -> str:
    if step.action:
        told = " ".join(f"{name}={value}" for name, value in step.parameters.items())
        return f"{step.action} {told}".strip()
    return _short(shlex.join(("sudo", *step.argv) if step.privileged else step.argv))


def _condition(one: Condition) -> str:
    wanted = {
        "exit": one.exit_code,
        "=": one.equals,
        "~": one.matches,
        ">=": one.at_least,
        "<=": one.at_most,
    }
    told = [f"{sign} {value}" for sign, value in wanted.items() if value is not None]
    return f"{_short(shlex.join(one.argv))}  ({', '.join(told)})"


def _live(voice: Voice, one: Live) -> str:
    word = {True: "holds", False: "holds_not", None: "silent"}[one.holds]
    return f"{voice.say(f'respond.{word}')}: {_short(' '.join(one.said.split()))}"


def _short(said: str) -> str:
    return said if len(said) <= _LONG else f"{said[:_LONG]}… ({len(said)})"


def automation(
    voice: Voice, switches: Sequence[Switch], breakers: Sequence[Breaker], *, enabled: bool
) -> str:
    """Whether incidents are answered, and what rests."""
    told = [voice.say("automation.enabled" if enabled else "automation.not_enabled")]
    for one in switches:
        key = f"automation.{'on' if one.on else 'off'}{'_one' if one.playbook else ''}"
        fields = {"who": one.who, "at": one.at, "reason": one.reason or "-"}
        by = voice.say("automation.by", **fields)
        told.append(f"{voice.say(key, name=one.playbook)} ({by})")
    for found in breakers:
        fields = {"name": found.playbook, "target": found.host, "at": found.at}
        told.append(voice.say("automation.breaker", **fields))
    return "\n".join(told)
