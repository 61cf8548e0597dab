"""Other tools that ask hosts the same things, as their manuals have it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks import measure
from benchmarks.asked import READS
from benchmarks.borgmatic import PROGRAM
from benchmarks.measure import Cost

BIN = PROGRAM.parent
_AT_ONCE = 16
# Each answer, told apart from the next: the simplest that a person would write.
ALL_IN_ONE = "; ".join(f"echo '== {read.name}'; {read.script}" for read in READS)

_FABRIC = """\
import json, sys
from concurrent.futures import ThreadPoolExecutor
from fabric import Connection
asked = json.load(open(sys.argv[1]))
def ask(address):
    with Connection(address, user="root", connect_kwargs={"key_filename": asked["key"]}) as host:
        return sum(len(host.run(c, hide=True, in_stream=False).stdout) for c in asked["commands"])
with ThreadPoolExecutor(asked["at_once"]) as pool:
    assert all(pool.map(ask, asked["addresses"]))
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The hosts: names with the addresses behind them, and what opens them."""

    addresses: Mapping[str, str]
    key: Path
    known_hosts: Path
    home: Path


class Watcher(Protocol):
    """One tool, used in one way."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        ...

    def ask(self, fleet: Fleet) -> Cost:
        """Ask all hosts everything once."""
        ...


@dataclass(frozen=True, slots=True)
class Ansible:
    """`ansible -m raw` in one go, or a playbook with a task for each read."""

    split: bool

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "ansible playbook, 15 raw tasks" if self.split else "ansible -m raw, all in one"

    def ask(self, fleet: Fleet) -> Cost:
        """Its connections are kept from run to run, as its defaults have it."""
        inventory, play = fleet.home / "ansible.json", fleet.home / "play.json"
        hosts = {name: {"ansible_host": address} for name, address in fleet.addresses.items()}
        options = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(fleet.key),
            "ansible_ssh_extra_args": f"-o UserKnownHostsFile={fleet.known_hosts}",
        }
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": options}}))
        tasks = [{"raw": read.script, "changed_when": False} for read in READS]
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        common = ("-i", str(inventory), "-f", str(_AT_ONCE))
        argv: Sequence[str] = ("ansible", "all", *common, "-m", "raw", "-a", ALL_IN_ONE)
        if self.split:
            argv = ("ansible-playbook", *common, str(play))
        home = {"ANSIBLE_HOME": str(fleet.home / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "0"}
        return measure.run((str(BIN / argv[0]), *argv[1:]), home)


@dataclass(frozen=True, slots=True)
class Pyinfra:
    """`pyinfra exec` in one go, or a deploy with an operation for each read."""

    split: bool

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "pyinfra, 15 operations" if self.split else "pyinfra exec, all in one"

    def ask(self, fleet: Fleet) -> Cost:
        """A new connection to each host, as always."""
        inventory, deploy = fleet.home / "inventory.py", fleet.home / "deploy.py"
        options = {
            "ssh_user": "root",
            "ssh_key": str(fleet.key),
            "ssh_known_hosts_file": str(fleet.known_hosts),
        }
        hosts = [(n, {"ssh_hostname": a, **options}) for n, a in fleet.addresses.items()]
        inventory.write_text(f"hosts = {hosts!r}\n")
        lines = [f"server.shell(commands=[{read.script!r}])" for read in READS]
        deploy.write_text("\n".join(("from pyinfra.operations import server", *lines, "")))
        what = (str(deploy),) if self.split else ("exec", "--", ALL_IN_ONE)
        argv = (str(BIN / "pyinfra"), "-y", "--parallel", str(_AT_ONCE), str(inventory), *what)
        return measure.run(argv)


@dataclass(frozen=True, slots=True)
class Fabric:
    """Plain Fabric in a pool of threads: a connection a host, a `run` a read or one for all."""

    split: bool

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "Fabric, 15 runs" if self.split else "Fabric, all in one"

    def ask(self, fleet: Fleet) -> Cost:
        """As the first page of its manual does it."""
        program, asked = fleet.home / "with_fabric.py", fleet.home / "fabric.json"
        program.write_text(_FABRIC)
        commands = [read.script for read in READS] if self.split else [ALL_IN_ONE]
        plan = {
            "addresses": list(fleet.addresses.values()),
            "key": str(fleet.key),
            "commands": commands,
            "at_once": _AT_ONCE,
        }
        asked.write_text(json.dumps(plan))
        return measure.run((str(BIN / "python"), str(program), str(asked)))


PEERS: tuple[Watcher, ...] = (
    Ansible(split=True),
    Ansible(split=False),
    Pyinfra(split=True),
    Pyinfra(split=False),
    Fabric(split=True),
    Fabric(split=False),
)
