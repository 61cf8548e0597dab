"""`python -m grafana.build`: write the boards of grafana/boards as the JSON that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

BOARDS: Final = Path(__file__).with_name("boards")
DASHBOARDS: Final = Path(__file__).with_name("dashboards")
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDE = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its queries with their legends, and what they mean in both languages.

    `steps` are values from which a colour holds, `base` the colour below the first.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Mapping[str, str]]
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    steps: Sequence[tuple[float, str]] = ()
    base: str = "green"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; a variable is a label of a metric to choose from."""

    uid: str
    title: str
    description: str
    since: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    variables: Sequence[Mapping[str, str]] = ()


def read(path: Path) -> Board:
    """The board of a file."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = [(row["title"], [Panel(**panel) for panel in row["panels"]]) for row in found["rows"]]
    return Board(**{**found, "rows": rows})


def build(board: Board) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "annotations": {"list": [_maintenance()]},
        "description": board.description,
        "editable": False,
        "graphTooltip": 1,
        "links": [
            {
                "asDropdown": True,
                "icon": "external link",
                "includeVars": True,
                "keepTime": True,
                "tags": ["opsd"],
                "title": "opsd",
                "type": "dashboards",
            }
        ],
        "panels": list(_panels(board)),
        "refresh": "1m",
        "schemaVersion": 38,
        "tags": ["opsd"],
        "templating": {"list": [_datasource(), *(_variable(**one) for one in board.variables)]},
        "time": {"from": board.since, "to": "now"},
        "timezone": "browser",
        "title": board.title,
        "uid": board.uid,
        "version": 1,
    }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for title, panels in board.rows:
        number += 1
        at = {"h": 1, "w": _WIDE, "x": 0, "y": y}
        yield {
            "collapsed": False,
            "gridPos": at,
            "id": number,
            "panels": [],
            "title": title,
            "type": "row",
        }
        x, y, tallest = 0, y + 1, 0
        for panel in panels:
            if x + panel.width > _WIDE:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind in {"stat", "table"}
    return {
        "datasource": _SOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": place,
        "id": number,
        "options": _options(panel.kind),
        "targets": [
            {
                "datasource": _SOURCE,
                "expr": query["expr"],
                "format": "table" if panel.kind == "table" else "time_series",
                "instant": instant,
                "legendFormat": query["legend"],
                "range": not instant,
                "refId": chr(ord("A") + place_of),
            }
            for place_of, query in enumerate(panel.queries)
        ],
        "title": panel.title,
        "type": panel.kind,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": panel.base, "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in panel.steps]
    found: dict[str, Any] = {
        "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
        "noValue": "–",
        "thresholds": {"mode": "absolute", "steps": steps},
        "unit": panel.unit,
    }
    if panel.kind == "timeseries":
        found["custom"] = {"fillOpacity": 8, "lineWidth": 1, "showPoints": "never"}
    return found


def _options(kind: str) -> dict[str, Any]:
    match kind:
        case "stat":
            reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            return {"colorMode": "background", "reduceOptions": reduced, "textMode": "auto"}
        case "timeseries":
            legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case _:
            return {}


def _datasource() -> dict[str, Any]:
    return {
        "label": "Data source",
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "type": "datasource",
    }


def _variable(name: str, label: str, metric: str) -> dict[str, Any]:
    query = f'label_values({metric}{{job="opsd"}}, {name})'
    return {
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": _SOURCE,
        "definition": query,
        "includeAll": True,
        "label": label,
        "multi": True,
        "name": name,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def _maintenance() -> dict[str, Any]:
    return {
        "datasource": _SOURCE,
        "enable": True,
        "expr": 'opsd_maintenance_active{job="opsd"} == 1',
        "iconColor": "blue",
        "name": "Bảo trì / Maintenance",
        "step": "60s",
        "tagKeys": "host",
        "titleFormat": "{{host}}",
        "useValueForTime": False,
    }


def text_of(board: Board) -> str:
    """The file that Grafana reads."""
    return json.dumps(build(board), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for one in map(read, sorted(BOARDS.glob("*.yml"))):
        (DASHBOARDS / f"{one.uid}.json").write_text(text_of(one), encoding="utf-8")
