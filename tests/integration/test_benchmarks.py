"""The benchmarks measure: every step is there, and every figure is one that can be."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import measure, week
from benchmarks.measure import Cost
from benchmarks.rounds import DAYS

pytestmark = pytest.mark.xdist_group("benchmarks")

MIB = 1 << 20
STEPS = {("opsd", "backup"), ("opsd", "proof")} | {
    (tool, step)
    for tool in ("bare", "bare, piped")
    for step in ("backup", "check", "restore", "load")
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], str]:
    """What a run without borgmatic left: `make test` does not fetch the peers."""
    home = tmp_path_factory.mktemp("results")
    arguments = ("--scale", "tiny", "--days", "1", "--files", "50", "--without-borgmatic")
    assert benchmarks.main([*arguments, "--results", str(home)]) == 0
    (found,), (report,) = home.glob("*.json"), home.glob("*.md")
    return json.loads(found.read_text()), report.read_text()


def test_each_tool_does_each_step(result: tuple[Mapping[str, Any], str]) -> None:
    rows = result[0]["rows"]
    assert {(row["tool"], row["step"]) for row in rows} == STEPS
    assert {row["day"] for row in rows} == {DAYS[0]}
    assert len(rows) == len(STEPS)


def test_the_figures_can_be(result: tuple[Mapping[str, Any], str]) -> None:
    for row in result[0]["rows"]:
        assert 0 < row["cpu_seconds"] <= row["wall_seconds"] * (os.cpu_count() or 1) + 0.5, row
        assert row["tree_peak_bytes"] > 20 * MIB, row
        assert (row["stored_bytes"] > 0) is (row["step"] == "backup"), row
        assert (row["own_peak_bytes"] > 20 * MIB) is (row["tool"] == "opsd"), row


def test_memory_is_measured_beside_the_number_of_files(
    result: tuple[Mapping[str, Any], str],
) -> None:
    (row,) = result[0]["memory"]
    assert row["files"] == 50
    assert all(row[task]["own_peak_bytes"] > 20 * MIB for task in ("backup", "proof"))


def test_the_report_has_a_ratio_for_each_peer_and_names_no_place(
    result: tuple[Mapping[str, Any], str],
) -> None:
    report = result[1]
    assert "| first day | backup / bare (same form of dump) | " in report
    assert "| first day | proof / the same + load | " in report
    assert "/tmp/" not in report + json.dumps(result[0])


def test_a_cost_counts_what_children_did() -> None:
    burning = "import os; b = bytes(80 << 20); sum(range(10**7)); os.write(1, b'done')"
    cost = measure.run(("sh", "-c", f'"{sys.executable}" -c "{burning}" && true'))
    assert cost.output == "done"
    assert cost.cpu > 0.05
    assert cost.own < 20 * MIB


def test_what_was_written_is_counted(tmp_path: Path) -> None:
    cost = measure.script(f"head -c 8M /dev/urandom > {tmp_path / 'file'}; sleep 0.2")
    assert 8 * MIB <= cost.written < 9 * MIB


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(measure.Failed, match=r"exit 3\nwhy"):
        measure.script("echo why; exit 3")


def test_a_watch_is_measured_while_it_works(tmp_path: Path) -> None:
    arguments = ("--hosts", "2", "--scale", "4", "--interval", "1", "--seconds", "4")
    assert (
        benchmarks.main(["watch", *arguments, "--without-peers", "--results", str(tmp_path)]) == 0
    )
    (found,), (report,) = tmp_path.glob("*.json"), tmp_path.glob("*.md")
    measured = json.loads(found.read_text())
    for one, hosts in ((measured["own"], 2), (measured["scale"], 4)):
        wanted = hosts * one["checks"] * 4
        assert one["rounds"] >= hosts
        assert abs(one["host_checks"] - one["rounds"] * one["checks"]) <= 2 * hosts * one["checks"]
        assert one["host_checks"] <= wanted * 1.5
        assert (one["hosts"], one["bad"], one["answered_before"]) == (hosts, 0, hosts)
        assert 0 < one["cpu_seconds"] < 2 * one["seconds"]
        assert one["peak_bytes"] > 20 * MIB
        assert one["late_seconds"]["median"] < 3
    assert "/tmp/" not in report.read_text() + found.read_text()


def test_a_scrape_is_measured_beside_node_exporter(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmarks.main(["scrape", "--hosts", "3", "--checks", "2", "--scrapes", "3"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "|" in line]
    figures = {
        row[0].strip(): [float(cell.replace(",", "")) for cell in row[1:]] for row in rows[2:]
    }
    assert set(figures) == {"opsd", "node_exporter"}
    samples, size, median, worst, *_ = figures["opsd"]
    assert samples > 3 * 2 * 5
    assert size > 0
    assert 0 < median <= worst


def test_a_step_on_hosts_is_measured_beside_bare_ssh(tmp_path: Path) -> None:
    few = ("--hosts", "3", "--steps", "2", "--without-peers", "--results", str(tmp_path))
    assert benchmarks.main(["steps", *few]) == 0
    (report,) = tmp_path.glob("*-steps-*.md")
    rows = [line for line in report.read_text().splitlines() if line.startswith("| ssh")]
    assert len(rows) == 2
    assert float(rows[0].split("|")[3]) > 1, "a new connection for each step is no faster"


def test_a_week_is_told_of_each_who_kept_it() -> None:
    kept = {"other": week.Kept(1, 2, 3, 4), "opsd": week.Kept(11, 12, 13, 14)}
    back = {"other, full": Cost(wall=5, cpu=6), "other, delta": None}
    found = week.Week(64, {}, [week.Day(0, 16, kept)], 0.02, back, {"nobody": 1})
    said = week.told(found, {"other": "in its manner"})
    assert "| 0 | 16 | 11.0 | 1.0 | 12.0 + 14.0 | 2.0 + 4.0 | 13.0 | 3.0 |" in said
    assert "| other, full | 5.0 | 6.0 |\n| other, delta | none | none |" in said
    assert "beside other\n" in said
    assert "- other: in its manner\n" in said
