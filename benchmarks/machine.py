"""On what was measured: kind of machine and versions. Nothing that names a machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.borgmatic import PROGRAM
from opsd import __version__
from opsd.drivers import cluster

_GIB = 1 << 30


def kind() -> str:
    """What kind of machine this is, fit for a file's name."""
    return f"{os.cpu_count()}-core-{_processor()}"


def facts(*, borgmatic: bool) -> dict[str, str]:
    """The machine and the programs."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    programs = {
        "opsd": __version__,
        "commit": _said("git", "describe", "--always", "--dirty"),
        "Python": platform.python_version(),
        "restic": version("restic", "version"),
        "PostgreSQL": version(str(cluster.binaries(cluster.newest()) / "postgres"), "--version"),
    }
    if borgmatic:
        programs["borgmatic"] = version(str(PROGRAM), "--version")
        programs["borg"] = version("borg", "--version")
    return {
        "cores": f"{os.cpu_count()} ({_processor()})",
        "memory": f"{memory / _GIB:.0f} GiB",
        "kernel": platform.release(),
        "file system": _said("stat", "--file-system", "--format=%T", "."),
        **programs,
    }


def _processor() -> str:
    """The maker's family of processors, in one word."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    words = re.findall(r"EPYC|Ryzen|Xeon|Core|Neoverse|Apple", found[1]) if found else []
    return words[0].lower() if words else platform.machine()


def version(program: str, argument: str) -> str:
    """What a program says that it is."""
    found = re.search(r"\d+(\.\d+)+", _said(program, argument))
    return found[0] if found else "unknown"


def _said(*argv: str) -> str:
    if shutil.which(argv[0]) is None:
        return "unknown"
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip()
