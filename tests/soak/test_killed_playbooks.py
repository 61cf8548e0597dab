"""Every step of every playbook with its real fault, killed before, within and after.

The victims are opsd, sshd's child and the link. How many points that were stands in the output.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.acts import ACTS, Act, played
from tests.faults.acts_of_backups import ACTS_OF_BACKUPS, ActOfBackup, played_of_backup
from tests.site import Site
from tests.town import Town, founded

pytestmark = pytest.mark.xdist_group("hosts")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with founded() as made:
        yield made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.playbook)
def test_a_playbook_of_hosts_is_struck_everywhere(act: Act, town: Town) -> None:
    wrong, count = played(town, act)
    print(f"\n{act.playbook}: {count} points")
    assert not wrong


@pytest.mark.parametrize("act", ACTS_OF_BACKUPS, ids=lambda act: act.playbook)
def test_a_playbook_of_backups_is_struck_everywhere(act: ActOfBackup, safe: Site) -> None:
    wrong, count = played_of_backup(safe, act)
    print(f"\n{act.playbook}: {count} points")
    assert not wrong
