"""`make protect`, as a newcomer runs it: told to its end, nothing left running, taken away."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from opsd.demo import protect
from tests.integration.test_story import demo
from tests.site import ROOT, workplace

PROVED = re.compile(
    r"^NOTHING LOST: ([\d,]+) of ([\d,]+) acknowledged commits are back;"
    r" table (\w+) is back with its (\d+) rows,$",
    re.MULTILINE,
)


def running_below(place: Path) -> list[str]:
    """The programs whose command names the place."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            said = path.read_bytes()
            if os.fsencode(place) in said and path.parent.name != str(os.getpid()):
                found.append(said.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_the_story_of_the_log_is_told_to_its_end_and_taken_away() -> None:
    with workplace() as base:
        place = base / "demo"
        code, said = demo(place, "protect")
        assert code == 0, said
        proved = PROVED.search(said)
        assert proved, said
        back, acknowledged, table, rows = proved.groups()
        noted = (place / protect.PLACE / protect.NOTES).read_text("utf-8").splitlines()
        assert back == acknowledged == f"{len(noted):,}"
        assert len(noted) > 20
        assert f"DROP TABLE {table}, which had {rows} rows" in said
        assert f"recover dossiers --to before-drop {table} " in said
        assert running_below(base) == []
        assert demo(place, "clean")[0] == 0
        assert not place.exists()


def test_whoever_interrupts_it_leaves_nothing_running() -> None:
    with workplace() as base:
        words = ("--directory", str(base / "demo"), "--language", "en", "protect")
        telling = subprocess.Popen(
            (sys.executable, "-m", "opsd.demo", *words),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert telling.stdout is not None
        with telling.stdout as said:
            assert any(line.startswith("Both receivers receive") for line in said)
            assert any("pg_receivewal" in one for one in running_below(base))
            telling.send_signal(signal.SIGINT)
            assert "everything that the demo had started was ended" in said.read()
        assert telling.wait(30) == 130
        assert running_below(base) == []
