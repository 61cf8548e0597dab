"""The dashboards: written from their boards, whole, and of nothing but what is exported."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from grafana.build import BOARDS, DASHBOARDS, read, text_of
from opsd.metrics.table import FAMILIES
from tests.prometheus import RULES
from tests.site import ROOT

FILES = sorted(DASHBOARDS.glob("*.json"))
UNITS = {"s", "short", "bytes", "Bps", "percentunit"}
BILINGUAL = re.compile(r".+ / .+", re.DOTALL)
Panel = dict[str, Any]


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in FILES]


def panels(dashboard: dict[str, Any]) -> Iterator[Panel]:
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def recorded() -> set[str]:
    found = yaml.safe_load((RULES / "rules" / "opsd.yml").read_text(encoding="utf-8"))
    return {rule["record"] for group in found["groups"] for rule in group["rules"]}


def test_the_files_are_those_that_the_boards_write() -> None:
    """After a change: `python -m grafana.build`."""
    written = {board.uid: text_of(board) for board in map(read, BOARDS.glob("*.yml"))}
    assert {path.stem: path.read_text(encoding="utf-8") for path in FILES} == written


def test_each_dashboard_has_a_name_of_its_own_and_is_not_edited_in_grafana() -> None:
    found = dashboards()
    assert len({one["uid"] for one in found}) == len({one["title"] for one in found}) == 5
    for one in found:
        assert one["editable"] is False
        assert one["tags"] == ["opsd"]
        assert one["links"][0]["tags"] == ["opsd"]
        assert "__inputs" not in one
        first, *others = one["templating"]["list"]
        assert (first["name"], first["type"]) == ("datasource", "datasource")
        assert all(other["refresh"] == 2 and other["allValue"] == ".+" for other in others)


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda one: one["uid"])
def test_each_panel_says_what_it_shows_in_two_languages(dashboard: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles)) > 4
    for panel in panels(dashboard):
        assert BILINGUAL.fullmatch(panel["title"]) or panel["title"] == "SMART"
        assert BILINGUAL.fullmatch(panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert target["legendFormat"]


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda one: one["uid"])
def test_panels_lie_beside_each_other(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def wrong(expression: str, variables: set[str]) -> Iterator[str]:
    """What a query should not have."""
    asked = set(re.findall(r"(?:\w+:)?opsd_\w+(?::\w+)?", expression))
    yield from asked - set(FAMILIES) - recorded()
    for inside, window in re.findall(r"rate\((\w+)[^[]*\[([^\]]+)\]", expression):
        if window != "$__rate_interval" or not inside.endswith("_total"):
            yield f"rate({inside}[{window}])"
    for counter in (name for name in asked if name.endswith("_total")):
        if not re.search(rf"(?:rate|increase)\({counter}\b", expression):
            yield f"{counter} as it is"
    yield from (
        f"${used}"
        for used in re.findall(r"\$(\w+)", expression)
        if used not in variables | {"__rate_interval"}
    )
    yield from (
        f"{name} of all jobs"
        for name in asked
        if re.search(rf"{name}(?![\w{{:])", expression) and ":" not in name
    )


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda one: one["uid"])
def test_each_query_asks_what_is_exported_and_as_it_should(dashboard: dict[str, Any]) -> None:
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    queries = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    found = {query: list(wrong(query, variables)) for query in queries}
    assert not {query: mistakes for query, mistakes in found.items() if mistakes}


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ("opsd_no_such{job='opsd'}", "opsd_no_such"),
        ("rate(opsd_backup_runs_total{}[5m])", "rate(opsd_backup_runs_total[5m])"),
        ("opsd_backup_runs_total{}", "opsd_backup_runs_total as it is"),
        ("opsd_backup_points{a=~'$host'}", "$host"),
        ("opsd_backup_points", "opsd_backup_points of all jobs"),
    ],
)
def test_a_wrong_query_would_be_found(query: str, mistake: str) -> None:
    assert mistake in list(wrong(query, {"datasource"}))


def test_every_alert_leads_to_a_dashboard_that_is_there() -> None:
    uids = {one["uid"] for one in dashboards()}
    for path in (RULES / "alerts").glob("*.yml"):
        led = re.findall(r"/d/([\w-]+)", path.read_text(encoding="utf-8"))
        assert led
        assert set(led) <= uids


def test_the_provisioning_names_the_data_source_and_a_folder_for_the_dashboards() -> None:
    place = ROOT / "grafana" / "provisioning"
    sources = yaml.safe_load((place / "datasources" / "opsd.yml").read_text(encoding="utf-8"))
    (source,) = sources["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://127.0.0.1:9090")
    providers = yaml.safe_load((place / "dashboards" / "opsd.yml").read_text(encoding="utf-8"))
    (provider,) = providers["providers"]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"].startswith("/")
