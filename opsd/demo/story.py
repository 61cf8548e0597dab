"""The whole story on one machine: protect a dossier system, prove it, burn it, get it back.

Everything is done by the same commands that a sysadmin types; they are shown before they run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from opsd.catalogue import Language
from opsd.demo import schema
from opsd.demo.dataset import Scale
from opsd.demo.front import Source, health, sample
from opsd.demo.psql import ask
from opsd.demo.stage import SET, SYSTEM, Stage, configure
from opsd.demo.system import DossierSystem
from opsd.drivers import cluster
from opsd.errors import ToolFailed

OWN = ("opsd", "returned")  # what the story keeps beside the living system


def tell(directory: Path, scale: Scale, language: Language) -> None:
    """Tell the story in `directory`; a second time, a day has passed meanwhile."""
    stage = Stage(directory, language)
    system = DossierSystem(directory / SYSTEM, scale)
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    first = not stage.config.exists()
    stage.say("demo.story_begins" if first else "demo.story_again", directory=directory)
    system.create()
    system.start()
    try:
        if not first:
            day = system.let_a_day_pass(system.next_day())
            fields = {"arrived": day.arrived, "changed": day.changed, "replaced": day.replaced}
            stage.say("demo.day_passed", day=day.number, **fields)
        configure(stage, system)
        stage.say("demo.system_runs", dossiers=_dossiers(system.connection), scans=system.scans)
        stage.opsd("backup", SET)
        stage.opsd("status")
        expected = _answer(system)
    finally:
        system.stop()
    _burn_and_return(stage, system, expected)


@dataclass(frozen=True, slots=True)
class Returned:
    """The system as it came back: what the web front needs to know of it."""

    connection: str
    scans: Path


def _burn_and_return(stage: Stage, burnt: DossierSystem, expected: object) -> None:
    """Another machine, as it were: an empty server, an empty disk, the repository, the password.

    The living system is stopped meanwhile; it is left as it is for the next time.
    """
    target = stage.directory / "returned"
    shutil.rmtree(target, ignore_errors=True)
    stage.say("demo.burns")
    target.mkdir(mode=0o711)
    server = cluster.Cluster(target / "database", burnt.cluster.major)
    server.create()
    server.start()
    try:
        ask(server.connection(), f"CREATE DATABASE {schema.DATABASE}")
        connection = server.connection(schema.DATABASE)
        files = target / "files"
        stage.opsd("restore", SET, "--to", str(files), "--load-into", connection)
        returned = Returned(connection, files / "scans")
        if _answer(returned) != expected or health(returned)["status"] != "ok":
            raise ToolFailed("demo.answers_differ")
    finally:
        server.stop()
        shutil.rmtree(target)
    stage.say("demo.returned")


def _answer(source: Source) -> object:
    """What the web front shows of the newest dossier."""
    code = ask(source.connection, "SELECT code FROM dossier ORDER BY id DESC LIMIT 1")[0][0]
    return sample(source, code)


def _dossiers(connection: str) -> int:
    return int(ask(connection, "SELECT count(*) FROM dossier")[0][0])
