"""What a person types about retention, holds and the audit chain; and a whole night."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from opsd import app, assembly
from opsd.cli import main
from opsd.drivers.system import person
from opsd.errors import Refused
from opsd.model import Outcome, Task
from opsd.tasks import audit, keeping
from tests.season import DAY, SET, Season, insist, judged, word

Said = tuple[int, str, dict[str, Any]]
RULES = "{min_age: 1d, min_points: 2}"


@pytest.fixture
def opsd(
    season: Season, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """The command line with the clock of the season: code, text for people, the same as JSON."""
    assemble = partial(assembly.assemble, clock=season.clock)
    monkeypatch.setattr(assembly, "assemble", assemble)

    def ask(*arguments: str) -> Said:
        options = ("--config", str(season.base / "opsd.yaml"), "--quiet")
        code = main.main([*arguments, *options])
        text = capsys.readouterr()
        if arguments[1] in {"plan", "list", "verify"} or arguments[0] == "points":
            main.main([*arguments, *options, "--json"])
            return code, text.out, json.loads(capsys.readouterr().out)
        return code, text.out + text.err, {}

    return ask


def test_a_person_looks_holds_drops_and_acknowledges(
    season: Season, opsd: Callable[..., Said]
) -> None:
    with season.kit(RULES) as kit:
        points = [season.night(kit).id for _ in range(5)]
        judged(kit, kit.store.points(SET)[0])
        season.passed += 2 * DAY

    code, text, body = opsd("retention", "plan", SET)
    assert code == 0
    assert text.count("GOES") == 3
    assert "last proved" in text
    kept = {one["id"]: one["rules"] for one in body["points"] if one["kept"]}
    assert kept == {points[4]: ["last_proved", "minimum"], points[3]: ["minimum"]}

    assert opsd("hold", "add", SET, "--point", points[0])[0] == 2  # no reason
    assert opsd("hold", "add", SET, "--point", "2", "--reason", "x")[0] == 2  # of which point?
    code, text, _ = opsd(
        "hold", "add", SET, "--point", points[0], "--reason", "theft", "--by", "An"
    )
    assert code == 0
    _, text, body = opsd("hold", "list")
    assert points[0] in text
    (hold,) = body["holds"]
    assert (hold["point"], hold["who"], hold["reason"]) == (points[0], f"An ({person()})", "theft")

    code, text, _ = opsd("retention", "run", SET)
    assert code == 0, text
    assert "3 points stay, 2 dropped" in text
    assert {p["id"] for p in opsd("points", SET)[2]["sets"][SET]} == {points[i] for i in (0, 3, 4)}

    with season.kit(RULES) as kit:
        season.passed += 2 * DAY
        judged(kit, kit.store.points(SET)[0], Outcome.FAILED)
        insist(kit)
    code, text, _ = opsd("retention", "run", SET)
    assert (code, "frozen" in text) == (6, True)
    assert "FROZEN since" in opsd("status", SET)[1]
    assert "Frozen until acknowledged" in opsd("retention", "plan", SET)[1]
    assert opsd("retention", "acknowledge", SET)[0] == 2
    code, text, _ = opsd("retention", "acknowledge", SET, "--reason", "a test", "--by", "An")
    assert (code, "1 causes acknowledged" in text) == (0, True)
    assert opsd("retention", "acknowledge", SET, "--reason", "again")[0] == 2
    assert "FROZEN" not in opsd("status", SET)[1]

    assert opsd("hold", "release", hold["id"], "--reason", "solved")[0] == 0
    assert opsd("hold", "release", hold["id"], "--reason", "solved")[0] == 2
    assert opsd("hold", "list")[2] == {"holds": []}

    code, text, body = opsd("audit", "list")
    kinds = [line["kind"] for line in body["lines"]]
    assert kinds == ["hold", "drop", "drop", "freeze", "acknowledge", "release"]
    assert "theft" in text
    code, text, body = opsd("audit", "verify")
    assert (code, body["whole"], body["lines"]) == (0, True, 6)


def test_a_chain_that_was_cut_is_found_by_the_recovery_points(
    season: Season, opsd: Callable[..., Said]
) -> None:
    with season.kit(RULES) as kit:
        for point in range(3):
            made = season.night(kit)
            keeping.hold(kit, SET, made.id, word(kit))
            assert kit.store.head().number == point + 1
    assert opsd("audit", "verify")[0] == 0
    with sqlite3.connect(season.base / "state" / assembly.STORE) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE number > 1")
    connection.close()
    code, _, body = opsd("audit", "verify")
    assert code == 1
    assert body["breach"]["how"] == "audit.cut"
    assert body["breach"]["count"] == 2
    (season.base / "repository").rename(season.base / "elsewhere")
    code, _, body = opsd("audit", "verify")
    assert (code, body["whole"], len(body["unseen"])) == (4, True, 1)


def test_a_night_backs_up_proves_drops_and_verifies(season: Season) -> None:
    with season.kit(RULES) as kit:
        for _ in range(3):
            season.passed += DAY
            (season.base / "scans" / f"{season.passed.days}.txt").write_text("a dossier")
            assert app.night(kit, SET) == {
                Task.BACKUP: True,
                Task.PROVE: True,
                Task.COVER: True,
                Task.RETAIN: True,
            }
        assert len(kit.store.points(SET)) == 2
        assert kit.store.count_dropped(SET) == 1
        assert kit.store.last_verified() == season.clock()
        insist(kit)
        judged(kit, kit.store.points(SET)[0], Outcome.FAILED)
        season.passed += DAY
        with pytest.raises(Refused):  # frozen, and the chain is verified all the same
            app.night(kit, SET)
        assert kit.store.last_verified() == season.clock()
    with season.kit("null") as kit:
        season.passed += DAY
        assert Task.RETAIN not in app.night(kit, SET)
        assert len(kit.store.points(SET)) == 4


def test_a_configuration_is_told_when_it_is_another(season: Season) -> None:
    with season.kit(RULES) as kit:
        for _ in range(2):
            audit.configured(kit, kit.config)
        assert [line.kind for line in kit.store.lines()] == ["config"]
    with season.kit("{min_age: 2d}") as kit:
        audit.configured(kit, kit.config)
        assert [line.kind for line in kit.store.lines()] == ["config", "config"]
