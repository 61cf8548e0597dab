"""The whole story on one machine: protect a dossier system, prove it, burn it, get it back.

Everything is done by the same commands that a sysadmin types; they are shown before they run.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd import catalogue
from opsd.catalogue import Language
from opsd.demo import protection, schema
from opsd.demo.dataset import Scale
from opsd.demo.front import Source, health, sample
from opsd.demo.psql import ask
from opsd.demo.system import DossierSystem
from opsd.drivers import cluster, process
from opsd.errors import ToolFailed

SET = "dossiers"
SYSTEM = "system"  # the living system, below the demo's directory
_OWN = ("opsd", "returned")  # what the story keeps beside it
_LIMIT = timedelta(minutes=30)
_CONFIG = """\
# opsd's demo: the repository lies beside its source, which only `demo: true` allows.
language: {language}
demo: true
state: {home}/state
listen: 127.0.0.1:9851
repositories:
  main:
    url: {home}/repository
    password_file: {home}/password
    min_free: 200MiB
backup_sets:
  {name}:
    title: Hệ thống thông tin giải quyết thủ tục hành chính (demo)
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story is told, and in which language."""

    directory: Path
    language: Language

    @property
    def home(self) -> Path:
        """What opsd keeps: its configuration, its history, the repository."""
        return self.directory / "opsd"

    @property
    def config(self) -> Path:
        """The configuration of the demo."""
        return self.home / "opsd.yaml"

    def say(self, key: str, **fields: object) -> None:
        """Tell the reader something."""
        print(catalogue.say(self.language, key, **fields), flush=True)

    def opsd(self, *arguments: str) -> None:
        """Run opsd as a person would. Raises `ToolFailed` when it does not end well."""
        options = ("--config", str(self.config), "--language", self.language.value)
        print(f"\n$ opsd {shlex.join(arguments)} --config {self.config}", flush=True)
        command = process.Command((sys.executable, "-m", "opsd", *arguments, *options), _LIMIT)
        if code := process.attached(command):
            raise ToolFailed("demo.opsd_failed", verb=arguments[0], exit_code=code)


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
        _configure(stage, system)
        stage.say("demo.system_runs", dossiers=_dossiers(system.connection), scans=system.scans)
        stage.opsd("backup", SET)
        stage.opsd("status")
        expected = _answer(system)
    finally:
        system.stop()
    _burn_and_return(stage, system, expected)


def clear(directory: Path) -> None:
    """Stop the demo and remove all of it. Refuses a directory that is not a demo of ours."""
    DossierSystem(directory / SYSTEM).remove()
    for name in _OWN:
        if (directory / name).exists():
            shutil.rmtree(directory / name)
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()


def _configure(stage: Stage, system: DossierSystem) -> None:
    """Write the configuration and, once, a password for the repository."""
    stage.home.mkdir(mode=0o711, exist_ok=True)
    password = stage.home / "password"
    if not password.exists():
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
    text = _CONFIG.format(language=stage.language, home=stage.home, name=SET)
    protected = protection.lines(system.connection, system.scans)
    stage.config.write_text(text + protected, encoding="utf-8")


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
