"""`make demo`, as a newcomer runs it: told to its end, again a day later, and removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.site import ROOT, workplace

PROVED = "PROVED: dossiers comes back, exactly as it was backed up"


def demo(place: Path, *words: str) -> tuple[int, str]:
    """Run the demo's command line; its exit code, and all that it said."""
    options = ("--directory", str(place), "--language", "en")
    done = subprocess.run(
        (sys.executable, "-m", "opsd.demo", *options, *words),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_story_is_told_to_its_end_again_and_taken_away() -> None:
    with workplace() as base:
        place = base / "demo"
        for _ in range(2):
            code, said = demo(place, "run", "--dossiers", "60")
            assert code == 0, said
            restored = said.index("RESTORED and verified", said.index(PROVED))
            assert restored < said.index("The system that came back answers as before")
        assert "day 1 has passed" in said
        stored = place / "opsd" / "repository" / "data"
        stored.rename(place / "gone")
        stored.mkdir(mode=0o700)
        code, said = demo(place, "run", "--dossiers", "60")
        assert code == 1, said
        assert PROVED not in said
        assert "answers as before" not in said
        (place / "gone").rename(place / "opsd" / "gone")
        assert demo(place, "clean")[0] == 0
        assert not place.exists()
