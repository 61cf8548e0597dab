"""Plugins: what do the monitoring plugins say that somebody put on the host?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from opsd.check import Answer, Plain, Read, Round
from opsd.config.machines import Plugin, PluginsOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy import perfdata
from opsd.policy.perfdata import Said

_FIGURES_AT_MOST = 20
_LABEL_AT_MOST = 64
_TEXT_AT_MOST = 400
_CANNOT_RUN = {126, 127}
_CAUSES = {Status.WARNING: "plugin_warning", Status.CRITICAL: "plugin_critical"}


@dataclass(frozen=True, slots=True)
class Plugins(Plain):
    """Takes each plugin's word: its exit code is its status."""

    options: PluginsOptions

    def reads(self) -> tuple[Read, ...]:
        """Each plugin by itself, so that one that hangs keeps no other back."""
        return tuple(_read(name, plugin) for name, plugin in self.options.programs.items())

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a plugin."""
        return tuple(
            self._judged(name, plugin, found.seen.answers[f"plugin.{name}"])
            for name, plugin in self.options.programs.items()
        )

    def _judged(self, name: str, plugin: Plugin, answer: Answer) -> CheckResult:
        said = perfdata.read(answer.text)
        fields = {
            "plugin": plugin.title or name,
            "said": said.text[:_TEXT_AT_MOST] or "-",
            "limit": plugin.timeout,
            "code": "-" if answer.exit_code is None else answer.exit_code,
        }
        status, cause = _verdict(answer, said)
        figures = said.figures if self.options.figures else ()
        return CheckResult(
            status,
            f"check.plugins.{cause or 'ok'}",
            fields,
            "\n".join(filter(None, (said.more[:_TEXT_AT_MOST], *_outside(said)))),
            cause,
            name,
            tuple(
                Measurement(
                    "opsd_plugin_value",
                    figure.value,
                    {"plugin": name, "label": figure.label[:_LABEL_AT_MOST]},
                )
                for figure in {
                    f.label[:_LABEL_AT_MOST]: f for f in figures[:_FIGURES_AT_MOST]
                }.values()
            ),
        )


def _read(name: str, plugin: Plugin) -> Read:
    """The plugin behind a deadline of its own, on top of what the round trip gives it."""
    seconds = max(1, round(plugin.timeout.total_seconds()))
    script = f"LC_ALL=C exec timeout -k 1 {seconds} {shlex.join(plugin.command)} </dev/null 2>&1"
    return Read(f"plugin.{name}", script, plugin.timeout + timedelta(seconds=2))


def _verdict(answer: Answer, said: Said) -> tuple[Status, str]:
    if answer.exit_code in {None, 124, 137}:
        return Status.UNKNOWN, "plugin_timed_out"
    if answer.exit_code in _CANNOT_RUN:
        return Status.UNKNOWN, "plugin_missing"
    if answer.exit_code not in set(Status) or not said.text:
        return Status.UNKNOWN, "plugin_garbage"
    status = Status(answer.exit_code)
    if status is Status.UNKNOWN:
        return status, "plugin_unknown"
    return status, _CAUSES.get(status, "")


def _outside(said: Said) -> Iterator[str]:
    """The figures that are outside what the plugin itself calls good."""
    for figure in said.figures[:_FIGURES_AT_MOST]:
        for limit, word in ((figure.critical, "critical"), (figure.warning, "warning")):
            if limit and limit.alerts(figure.value):
                yield f"{figure.label[:_LABEL_AT_MOST]} = {figure.value:g} ({word})"
                break
