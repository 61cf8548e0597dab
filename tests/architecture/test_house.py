"""The house rules: what no single file's test can see."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("opsd", "checks", "playbooks")
LINES_AT_MOST = 400
LONGER_FOR_A_REASON: dict[str, str] = {}  # path: the reason

# Joined here, so that this file names none of them.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("ftp", "debian", "org"),
    )
)
HOME_OF_PYTHONS = ".py" + "env"
WORKPLACE = re.compile(r"(?<![\w.~-])/" + "work" + r"/")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------------------ who imports whom


def test_the_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def placed_in_the_layers() -> set[str]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {name.strip("() ") for layer in layers for name in re.split(r"[|:]", layer)}


def test_every_module_has_its_place_in_the_layers() -> None:
    present = {
        f"opsd.{path.stem}"
        for path in (ROOT / "opsd").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }
    assert present, "no module found at all"
    assert present <= placed_in_the_layers(), (
        f"give {sorted(present - placed_in_the_layers())} a place in pyproject.toml's layers"
    )


def imports_inside_functions(source: str) -> list[int]:
    return sorted(
        {
            inner.lineno
            for outer in ast.walk(ast.parse(source))
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for inner in ast.walk(outer)
            if isinstance(inner, ast.Import | ast.ImportFrom)
        }
    )


def test_nothing_is_imported_inside_a_function() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in modules(*OURS)
        for line in imports_inside_functions(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_an_import_inside_a_function_would_be_found() -> None:
    assert imports_inside_functions("import os\nclass A:\n  def f(self):\n    import os\n") == [4]


# ------------------------------------------------------------------------------ how long, and what


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_long_without_a_reason() -> None:
    sizes = {name_of(path): lines_of(path) for path in modules(*OURS, "tests", "benchmarks")}
    long = {name: lines for name, lines in sizes.items() if lines > LINES_AT_MOST}
    assert long.keys() == LONGER_FOR_A_REASON.keys(), f"longer than {LINES_AT_MOST} lines: {long}"


def of_one_place_only(text: str) -> Iterator[str]:
    """What holds on one machine or at one workplace only: registries, mirrors, local paths."""
    lowered = text.lower()
    yield from (host for host in HOSTS if host in lowered)
    if HOME_OF_PYTHONS in text:
        yield HOME_OF_PYTHONS
    yield from WORKPLACE.findall(text)


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = {
        name_of(path): places
        for path in tracked_files()
        if (places := sorted(of_one_place_only(path.read_bytes().decode(errors="replace"))))
    }
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        *(f"--index-url https://{host}/simple" for host in HOSTS),
        f"PYTHON=~/{HOME_OF_PYTHONS}/versions/3.11",
        'cd "/' + 'work/main"',
    ],
)
def test_a_registry_or_a_path_of_one_machine_would_be_found(text: str) -> None:
    assert list(of_one_place_only(text))


# ------------------------------------------------------------------------------ what is depended on


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names_in(lines: Iterable[str]) -> set[str]:
    wanted = (line.split("#")[0].strip() for line in lines)
    return {canonical(re.split(r"[\[<>=!~; ]", line)[0]) for line in wanted if line}


def requirements_of(name: str) -> set[str]:
    return names_in((ROOT / name).read_text(encoding="utf-8").splitlines())


LOCKS = ("requirements.lock", "benchmarks/requirements.lock", "tests/requirements-s3.lock")


def locked(lock: str = LOCKS[0]) -> dict[str, str]:
    """Each requirement of a lock, with the text that belongs to it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    logical = re.sub(r"\\\n", " ", text).splitlines()
    return {
        line.split("==")[0]: line for line in logical if line and not line.startswith((" ", "#"))
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_every_requirement_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    loose = [
        name
        for name, line in locked(lock).items()
        if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ ", line)
        or not re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", line)
    ]
    assert locked(lock)
    assert not loose
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE), "an option of one machine"


@pytest.mark.parametrize("source", ["requirements.in", "requirements-dev.in"])
def test_the_lock_holds_everything_asked_for(source: str) -> None:
    held = {canonical(name.split("[")[0]) for name in locked()}
    assert requirements_of(source)
    assert requirements_of(source) <= held, "run `make lock`"


def test_the_project_asks_for_what_those_files_say_and_nothing_else() -> None:
    metadata = project()
    dynamic = metadata["tool"]["setuptools"]["dynamic"]
    assert set(metadata["project"]["dynamic"]) >= {"dependencies", "optional-dependencies"}
    assert dynamic["dependencies"]["file"] == ["requirements.in"]
    assert dynamic["optional-dependencies"]["dev"]["file"] == ["requirements-dev.in"]


def test_what_is_imported_is_asked_for() -> None:
    """A package that only happens to be installed is missing on the next machine."""
    renamed = {
        "dns": "dnspython",
        "yaml": "pyyaml",
        "pydantic-core": "pydantic",
    }  # pydantic pins its core exactly
    known = {*sys.stdlib_module_names, *OURS}
    foreign = {
        renamed.get(canonical(top), canonical(top))
        for path in modules(*OURS)
        for top in imported(path.read_text(encoding="utf-8"))
        if top not in known
    }
    assert foreign <= requirements_of("requirements.in")


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]
