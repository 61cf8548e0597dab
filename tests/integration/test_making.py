"""A repository that is made: once, however many find at the same time that there is none."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from opsd.errors import RepositoryMissing
from opsd.tasks import shelf
from tests.site import Site


def test_of_two_who_find_no_repository_one_makes_it(site: Site) -> None:
    shutil.rmtree(site.repository)
    with site.kit() as kit:
        restic, both = kit.restic("main"), Barrier(2)

        def find_none_and_make(_: int) -> bool:
            with pytest.raises(RepositoryMissing) as missing:
                restic.snapshots()
            both.wait(60)
            return shelf.make(kit, "main", missing.value)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(find_none_and_make, range(2))) == [False, True]
        assert len(list((site.repository / "keys").iterdir())) == 1
        assert restic.snapshots() == ()
