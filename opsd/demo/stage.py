"""Where a story is told: its directory, how commands are shown, the configuration of its opsd."""

from __future__ import annotations

import secrets
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd import catalogue
from opsd.catalogue import Language
from opsd.demo import protection
from opsd.demo.system import DossierSystem
from opsd.drivers import process
from opsd.errors import ToolFailed

SET = "dossiers"
SYSTEM = "system"  # the living system, below the story's directory
LIMIT = timedelta(minutes=30)
_CONFIG = """\
# opsd's demo: the repository lies beside its source, which only `demo: true` allows.
language: {language}
demo: true
state: {home}/state
listen: 127.0.0.1:{port}
admin_listen: 127.0.0.1:{admin_port}
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
_PORTS = {"port": 9851, "admin_port": 9852}
_FREE_PORTS = {"port": 0, "admin_port": 0}


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
        self.show(*arguments)
        if code := process.attached(self.command(*arguments)):
            raise ToolFailed("demo.opsd_failed", verb=arguments[0], exit_code=code)

    def show(self, *arguments: str, then: str = "") -> None:
        """Show a command of opsd as a person would type it."""
        print(f"\n$ opsd {shlex.join(arguments)} --config {self.config}{then}", flush=True)

    def command(self, *arguments: str) -> process.Command:
        """A command of opsd, with the configuration and in the language of the story."""
        options = ("--config", str(self.config), "--language", self.language.value)
        return process.Command((sys.executable, "-m", "opsd", *arguments, *options), LIMIT)


def configure(stage: Stage, system: DossierSystem, log: Path | None = None) -> None:
    """Write the configuration and, once, a password for the repository.

    With `log` the database's log is received below it, by an opsd that runs: it takes free ports.
    """
    # The servers of proofs, which lie in its state, have an account of their own.
    for place in (stage.home, stage.home / "state"):
        place.mkdir(mode=0o711, exist_ok=True)
    password = stage.home / "password"
    if not password.exists():
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
    ports = _PORTS if log is None else _FREE_PORTS
    text = _CONFIG.format(language=stage.language, home=stage.home, name=SET, **ports)
    protected = protection.lines(system.connection, system.scans, log)
    stage.config.write_text(text + protected, encoding="utf-8")


def clear(directory: Path, own: Sequence[str]) -> None:
    """Stop a story's system and remove it, with what of its `own` the story keeps beside it.

    Refuses a directory that is not a demo of ours.
    """
    DossierSystem(directory / SYSTEM).remove()
    for path in (directory / name for name in own):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
