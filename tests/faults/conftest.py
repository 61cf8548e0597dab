"""A site that was backed up and proved, made once; each test harms a copy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsd.tasks.backup import back_up
from opsd.tasks.prove import prove
from tests.faults.telling import copied, empty_repository
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
    with copied(safe) as site:
        yield site


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
