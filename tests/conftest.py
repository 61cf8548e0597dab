"""Fixtures for all tests: real programs from .tools and Debian, and a site to protect."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from opsd.demo.system import DossierSystem
from tests import cheap, hosts
from tests.faults.telling import empty_repository
from tests.groups import ByGroup, turn
from tests.s3 import Server, served
from tests.site import NEEDED, ROOT, SMALL, Site, copy_of, workplace
from tests.stores import Stores
from tests.stores import served as served_stores

# Programs from .tools first; those of the system's administrator are needed too.
os.environ["PATH"] = os.pathsep.join(
    (str(ROOT / ".tools" / "bin"), os.environ["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin")
)

# No test is about how long an example takes: the machine may be busy with something else.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_sessionstart() -> None:
    """A missing program is a failure with its name, never a skip."""
    missing = [program for program in (*NEEDED, *hosts.NEEDED) if shutil.which(program) is None]
    if missing:
        pytest.exit(f"missing programs: {', '.join(missing)}; run `make test`", returncode=3)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByGroup:
    """Tests that share a server run in one process."""
    return ByGroup(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first; what takes as long as others stays in random order."""
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.fixture(scope="session", autouse=True)
def made_servers() -> Iterator[None]:
    """Database servers of tests and proofs are copies of one that was made once."""
    with cheap.servers():
        yield


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A small dossier system, made once and stopped, to be copied."""
    with workplace() as base:
        system = DossierSystem(base / "system", SMALL)
        system.create()
        yield system.directory


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    """An S3 server. Tests that ask for it share `xdist_group("s3")`, so that one is enough."""
    yield from served()


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """A PostgreSQL server for histories. Tests that ask for it share `xdist_group("stores")`."""
    with workplace() as base:
        yield from served_stores(base)


@pytest.fixture
def site(template: Path) -> Iterator[Site]:
    """A running dossier system of one's own, never backed up; its repository is cheap to open."""
    with workplace() as base:
        system = copy_of(template, base)
        empty_repository(base / "repository")
        system.start()
        password = base / "password"
        password.write_text("only for tests\n")
        password.chmod(0o600)
        found = Site(base, system)
        try:
            yield found
        finally:
            found.opened.close()
            system.stop()
