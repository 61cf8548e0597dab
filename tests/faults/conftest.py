"""A site that was backed up and proved, made once; each test harms a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsd.tasks.backup import back_up
from opsd.tasks.prove import prove
from tests.faults.telling import copy_tree, empty_repository
from tests.site import SET, Site, copy_of, workplace


def _site(template: Path, base: Path) -> Site:
    """A running system with a repository that is cheap to open, never backed up."""
    system = copy_of(template, base)
    password = base / "password"
    password.write_text("only for tests\n")
    password.chmod(0o600)
    empty_repository(base / "repository")
    (system.directory / "database").chmod(0o711)  # for those who come without root's privileges
    system.start()
    return Site(base, system)


@pytest.fixture(scope="session")
def safe(template: Path) -> Iterator[Site]:
    """Backed up and proved; a day passed; backed up again. Shared: only to be copied."""
    with workplace() as base:
        site = _site(template, base)
        try:
            with site.kit() as kit:
                assert back_up(kit, SET).closing.outcome.good
                assert prove(kit, SET).closing.outcome.good
                site.system.let_a_day_pass(1, share=0.2)
                assert back_up(kit, SET).closing.outcome.good
            yield site
        finally:
            site.system.stop()


@pytest.fixture
def ward(safe: Site) -> Iterator[Site]:
    """A copy of the repository, the history and the scans; the database is shared: only read it."""
    with workplace() as base:
        for part in ("repository", "state"):
            copy_tree(safe.base / part, base / part)
        copy_tree(safe.system.scans, base / "scans")
        shutil.copy2(safe.base / "password", base / "password")
        yield Site(base, safe.system, {f"path: {safe.system.scans}": f"path: {base}/scans"})


@pytest.fixture
def own(template: Path) -> Iterator[Site]:
    """A whole site of one's own, backed up once: its database may be harmed too."""
    with workplace() as base:
        site = _site(template, base)
        try:
            with site.kit() as kit:
                assert back_up(kit, SET).closing.outcome.good
            yield site
        finally:
            site.system.stop()
