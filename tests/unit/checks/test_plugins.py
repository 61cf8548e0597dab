"""Monitoring plugins: exit codes, figures, ranges, and what is none."""

from math import inf

import pytest

from checks.plugins import Plugins
from opsd.config.machines import PluginsOptions
from opsd.model import CheckResult, Status
from opsd.policy.perfdata import Range, read
from tests.asking import judged, looked, measured, seen


def plugins(*command: str, timeout: str = "5s") -> Plugins:
    program = {"command": list(command), "timeout": timeout}
    return Plugins(PluginsOptions.model_validate({"programs": {"it": program}}))


def judge(text: str, code: int | None = 0) -> CheckResult:
    check = plugins("/bin/true")
    return judged(check, seen(check, text, code=code))["it"]


@pytest.mark.parametrize(
    ("text", "code", "status", "cause"),
    [
        ("DISK OK - free space: / 65498MiB", 0, Status.OK, ""),
        ("LOAD WARNING", 1, Status.WARNING, "plugin_warning"),
        ("LOAD CRITICAL", 2, Status.CRITICAL, "plugin_critical"),
        ("no idea", 3, Status.UNKNOWN, "plugin_unknown"),
        ("odd", 4, Status.UNKNOWN, "plugin_garbage"),
        ("", 0, Status.UNKNOWN, "plugin_garbage"),
        ("| a=1", 0, Status.UNKNOWN, "plugin_garbage"),
        ("timeout: failed to run command", 127, Status.UNKNOWN, "plugin_missing"),
        ("Permission denied", 126, Status.UNKNOWN, "plugin_missing"),
        ("", 124, Status.UNKNOWN, "plugin_timed_out"),
        ("", 137, Status.UNKNOWN, "plugin_timed_out"),
        ("half", None, Status.UNKNOWN, "plugin_timed_out"),
    ],
)
def test_the_exit_code_is_the_status(
    text: str, code: int | None, status: Status, cause: str
) -> None:
    result = judge(text, code)
    assert (result.status, result.cause) == (status, cause)


def test_figures_come_in_base_units() -> None:
    said = read(
        "PING OK|rta=1.5ms;100;500;0 pl=20%;5;60;; 'disk /'=40264269824B;243497277849 "
        "size=2KB time=3s hits=7c plain=-.5 odd=3furlongs empty=\nmore text\nand more|'it''s'=9us\n"
    )
    assert {one.label: one.value for one in said.figures} == pytest.approx(
        {
            "rta": 0.0015,
            "pl": 0.2,
            "disk /": 40264269824,
            "size": 2048,
            "time": 3,
            "hits": 7,
            "plain": -0.5,
            "it's": 9e-6,
        }
    )
    assert said.text == "PING OK"
    assert said.more == "more text\nand more"
    assert said.figures[0].warning == Range(0, 100 * 1e-3)


@pytest.mark.parametrize(
    ("text", "bad", "good"),
    [
        ("10", [-1, 11], [0, 10]),
        ("10:", [9], [10, inf]),
        ("~:10", [11], [-99, 10]),
        ("10:20", [9, 21], [10, 20]),
        ("@10:20", [10, 20], [9, 21]),
    ],
)
def test_ranges_are_those_of_the_guidelines(text: str, bad: list[float], good: list[float]) -> None:
    (figure,) = read(f"OK|x=1;{text}").figures
    assert figure.warning is not None
    assert [figure.warning.alerts(value) for value in bad] == [True] * len(bad)
    assert [figure.warning.alerts(value) for value in good] == [False] * len(good)


@pytest.mark.parametrize("text", ["", "abc", "1:2:3", "@"])
def test_what_is_no_range_is_none(text: str) -> None:
    (figure,) = read(f"OK|x=1;{text}").figures
    assert figure.warning is None


def test_figures_are_bounded_and_those_outside_are_named() -> None:
    result = judge("BAD|" + " ".join(f"f{n}={n};;10" for n in range(99)), 2)
    assert len(result.measurements) == 20
    assert "f11 = 11 (critical)" in result.detail
    assert "f9 =" not in result.detail
    assert len({one.labels["label"] for one in judge("OK|a=1 a=2").measurements}) == 1
    silent = Plugins(
        PluginsOptions.model_validate(
            {"programs": {"it": {"command": ["/bin/true"]}}, "figures": False}
        )
    )
    assert judged(silent, seen(silent, "OK|a=1"))["it"].measurements == ()


def test_a_real_plugin_is_understood() -> None:
    check = plugins("/usr/lib/nagios/plugins/check_disk", "-w", "1%", "-c", "0%", "-p", "/")
    result = judged(check, looked(check))["it"]
    assert result.status is Status.OK
    assert measured(result)["opsd_plugin_value"] > 1 << 20
    low = plugins("/usr/lib/nagios/plugins/check_load", "-w", "0,0,0", "-c", "999,999,999")
    assert judged(low, looked(low))["it"].cause in {"plugin_warning", ""}
    wrong = plugins("/usr/lib/nagios/plugins/check_swap", "-w", "x")
    assert judged(wrong, looked(wrong))["it"].status is Status.UNKNOWN


def test_no_shell_reads_the_arguments() -> None:
    check = plugins("/bin/echo", "a; b $(id) | x=1", "it's")
    result = judged(check, looked(check))["it"]
    assert result.fields["said"] == "a; b $(id)"
    assert measured(result)["opsd_plugin_value"] == 1


def test_a_plugin_that_hangs_or_is_not_there_is_unknown() -> None:
    hanging = plugins("/bin/sleep", "30", timeout="1s")
    assert judged(hanging, looked(hanging))["it"].cause == "plugin_timed_out"
    missing = plugins("/usr/lib/nagios/plugins/check_nothing")
    assert judged(missing, looked(missing))["it"].cause == "plugin_missing"
