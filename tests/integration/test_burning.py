"""One round of the burning server; fifty are in tests/soak/test_burning.py."""

from __future__ import annotations

from pathlib import Path

from tests.burning import burn, kindling


def test_no_acknowledged_commit_is_lost_when_the_server_burns(template: Path) -> None:
    with kindling(template) as prepared:
        done = burn(prepared, "both receivers stopped, then server", 2)
        assert done.acknowledged > 20
        assert done.lost == 0
        # Where commits wait for nobody, the same fault does lose some: the test can see a loss.
        control = burn(prepared, "both receivers stopped, then server", 3, wait_for=0)
        assert control.lost > 0
