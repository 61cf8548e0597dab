"""The alerts: what they ask is exported, each is tested, each has a runbook and a board."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks import CHECKS
from opsd.metrics.table import FAMILIES
from opsd.people import ALERT
from opsd.tasks.check.own import BACKUP, WATCHDOG
from opsd.tasks.check.patrol import REACH
from opsd.tasks.wal.telling import CHECK as LOGS
from tests.site import ROOT

PROMETHEUS = ROOT / "grafana" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
GROUPS = sorted(path.stem for path in (PROMETHEUS / "alerts").glob("*.yml"))
ANNOTATIONS = {"summary", "summary_vi", "description", "description_vi"}
LINKS = {"runbook_url", "dashboard_url"}
SECTIONS = [
    "## Ý nghĩa / Meaning",
    "## Ảnh hưởng / Impact",
    "## Chẩn đoán / Diagnosis",
    "## Xử lý / Mitigation",
]
Rule = dict[str, Any]


def promtool(*arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@cache
def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules(kind: str) -> list[Rule]:
    return [
        rule
        for path in sorted((PROMETHEUS / kind).glob("*.yml"))
        for group in read(path)["groups"]
        for rule in group["rules"]
    ]


def files_of(group: str, home: Path = PROMETHEUS) -> list[Path]:
    """The files of promtool's tests of a group: what takes days is evaluated less often."""
    return sorted((home / "tests").glob(f"{group}_*test.yml"))


ALERTS = {str(rule["alert"]): rule for rule in rules("alerts")}


def test_there_are_alerts_and_their_names_are_used_once() -> None:
    assert len(ALERTS) == len(rules("alerts")) > 30
    assert all(re.fullmatch(r"Opsd[A-Za-z]+|Watchdog", name) for name in ALERTS)


@pytest.mark.parametrize("path", sorted(PROMETHEUS.glob("[ar]*/*.yml")), ids=lambda p: p.name)
def test_promtool_has_nothing_to_say_about_the_rules(path: Path) -> None:
    found = promtool("check", "rules", "--lint=all", "--lint-fatal", path)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("group", GROUPS)
def test_the_rules_pass_their_tests(group: str) -> None:
    found = promtool("test", "rules", *files_of(group))
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_examples_are_configurations_with_our_rules(tmp_path: Path) -> None:
    for kind in ("alerts", "rules"):
        shutil.copytree(PROMETHEUS / kind, tmp_path / kind)
    shutil.copy(PROMETHEUS / "scrape.example.yml", tmp_path / "prometheus.yml")
    found = promtool("check", "config", tmp_path / "prometheus.yml")
    assert found.returncode == 0, found.stdout + found.stderr
    counted = re.findall(r"(\d+) rules found", found.stdout)
    assert sum(map(int, counted)) == len(rules("alerts")) + len(rules("rules"))
    example = PROMETHEUS / "alertmanager.example.yml"
    checked = subprocess.run(
        ["amtool", "check-config", str(example)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


# ------------------------------------------------------------------------------ closed both ways


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_means_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    said = rule["annotations"]
    assert set(said) == ANNOTATIONS | LINKS
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    for language in ("", "_vi"):
        assert said[f"summary{language}"].endswith(".")
        assert "{{" not in said[f"summary{language}"], "a group has one headline"
        assert said[f"description{language}"].rstrip().endswith((".", "?"))
    assert said["runbook_url"].endswith(f"}}}}/runbooks/{name}.md")
    assert re.search(r"/d/opsd-[a-z]+$", said["dashboard_url"])


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_asks_only_what_is_exported_or_recorded(name: str) -> None:
    recorded = {rule["record"] for rule in rules("rules")}
    expression = ALERTS[name]["expr"]
    asked = set(re.findall(r"(?:\w+:)?opsd_\w+(?::\w+)?", expression))
    assert asked <= set(FAMILIES) | recorded
    for metric in re.findall(r"(?<![\w:])(opsd_\w+)(?!\w|[{:])", expression):
        pytest.fail(f"{metric} is asked of every job")


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_speaks_only_of_labels_that_it_has(name: str) -> None:
    rule = ALERTS[name]
    known = {"instance"}
    for metric in re.findall(r"opsd_\w+", rule["expr"]):
        known |= set(FAMILIES[metric].labels) if metric in FAMILIES else {"check"}
    said = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", said)) <= known


def checks_of(rule: Rule, family: str) -> set[str]:
    """The checks that a rule names in the selector of a family."""
    found = re.findall(rf'{family}{{[^}}]*check=~?"([^"]+)"', rule["expr"])
    return {check for one in found for check in one.split("|")}


def test_every_check_has_an_alert_of_its_own_or_falls_to_the_one_for_all_others() -> None:
    other = re.search(r'check!~"([^"]+)"', ALERTS["OpsdOtherIncident"]["expr"])
    assert other
    left_out = set(other[1].split("|"))
    told = {
        check
        for rule in ALERTS.values()
        if rule["labels"]["severity"] in {"critical", "warning"}
        for check in checks_of(rule, "opsd_incident_open")
        | (checks_of(rule, "opsd_check_status") if ">= 1" in rule["expr"] else set())
    }
    # what has alerts of its own, and what came from an alert in the first place
    elsewhere = {BACKUP, WATCHDOG, ALERT}
    assert left_out == told | elsewhere
    assert left_out <= set(CHECKS) | {REACH, LOGS} | elsewhere


def test_what_is_recorded_is_made_of_what_is_exported() -> None:
    for rule in rules("rules"):
        assert set(re.findall(r"(?<!:)opsd_\w+", rule["expr"])) <= set(FAMILIES)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_runbook_with_its_four_sections_in_two_languages(name: str) -> None:
    lines = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {name}"
    said = ALERTS[name]["annotations"]
    assert lines[2] == f"{said['summary_vi']} / {said['summary']}"
    assert [line for line in lines if line.startswith("## ")] == SECTIONS


def test_there_is_no_runbook_of_an_alert_that_is_gone() -> None:
    written = {path.stem for path in RUNBOOKS.glob("[OW]*.md")}
    assert written == set(ALERTS)


# ------------------------------------------------------------------------------ each is tested


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_recorded_comes_first_in_a_test_of_what_asks_for_it(group: str) -> None:
    """Left to itself promtool takes the groups in any order, one time in six the wrong one."""
    for path in files_of(group):
        named = [read(path.parent / file)["groups"][0]["name"] for file in read(path)["rule_files"]]
        assert len(named) == 1 or read(path)["group_eval_order"] == named


def asked(alert: str) -> list[list[bool]]:
    """For each test of an alert: whether it is to fire, time after time."""
    path = next(p for p in (PROMETHEUS / "alerts").glob("*.yml") if f"alert: {alert}\n" in text(p))
    tests = [test for file in files_of(path.stem) for test in read(file)["tests"]]
    wanted = f'alertname="{alert}"'
    return [
        [bool(one.get("exp_samples")) for one in test["promql_expr_test"] if wanted in one["expr"]]
        for test in tests
    ]


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(ALERTS) - {"Watchdog"}))
def test_an_alert_is_seen_silent_then_firing_then_silent_again(name: str) -> None:
    assert [False, True, False] in asked(name)


@pytest.mark.parametrize("always", [False, True], ids=["never fires", "always fires"])
@pytest.mark.parametrize("group", GROUPS)
def test_an_alert_that_does_so_fails_its_test(group: str, always: bool, tmp_path: Path) -> None:
    """A test that passes whatever the rule says tests nothing."""
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    copy = tmp_path / "prometheus" / "alerts" / f"{group}.yml"
    spoiled = yaml.safe_load(copy.read_text(encoding="utf-8"))
    for rule in spoiled["groups"][0]["rules"]:
        rule["expr"] = "vector(1)" if always else "vector(1) < 0"
        rule.pop("for", None)
    copy.write_text(yaml.safe_dump(spoiled), encoding="utf-8")
    found = promtool("test", "rules", *files_of(group, tmp_path / "prometheus"))
    failed = set(re.findall(r'alertname=\\"(\w+)\\"', found.stdout + found.stderr))
    wanted = {str(rule["alert"]) for rule in spoiled["groups"][0]["rules"]}
    assert failed == wanted - ({"Watchdog"} if always else set())


# ------------------------------------------------------------------------------ as people read it


def tell(path: Path) -> int:
    """Change tests so that they show what is said; gives how many there are."""
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))
    for test in tests["tests"]:
        test["external_labels"] = {"docs": "http://docs", "grafana": "http://grafana"}
        test["alert_rule_test"] = [
            {"alertname": one["expr"].split('"')[1], "eval_time": one["eval_time"]}
            for one in test.pop("promql_expr_test")
            if one.get("exp_samples")
        ]
    path.write_text(yaml.safe_dump(tests), encoding="utf-8")
    return len(tests["tests"])


@pytest.mark.parametrize("group", GROUPS)
def test_what_an_alert_says_is_whole_when_it_fires(group: str, tmp_path: Path) -> None:
    """Promtool shows the annotations of an alert that is wrongly said not to fire."""
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    paths = files_of(group, tmp_path / "prometheus")
    count = sum(tell(path) for path in paths)
    told = promtool("test", "rules", *paths)
    shown = told.stdout + told.stderr
    assert shown.count("description_vi=") >= count - 1
    assert "<no value>" not in shown
    assert "<error" not in shown
    for name in (
        rule["alert"] for rule in read(PROMETHEUS / "alerts" / f"{group}.yml")["groups"][0]["rules"]
    ):
        assert f'runbook_url="http://docs/runbooks/{name}.md"' in shown
