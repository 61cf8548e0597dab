"""The JSON Schema for editors says what the loader says, as far as a schema can."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from opsd.config.editors import json_schema

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "opsd.example.yaml"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Tree = dict[str, Any]


def example() -> Tree:
    tree: Tree = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    return tree


def options() -> Iterator[tuple[str, str, Tree]]:
    """Every option: the group it belongs to, its name, its schema."""
    for group, definition in {"Config": SCHEMA, **SCHEMA["$defs"]}.items():
        for name, schema in definition.get("properties", {}).items():
            yield group, name, schema


def test_the_schema_is_a_schema_and_can_be_written_as_json() -> None:
    VALIDATOR.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_the_example_is_valid() -> None:
    VALIDATOR.validate(example())


def test_every_option_is_explained_in_one_line() -> None:
    silent = [(group, name) for group, name, schema in options() if not schema.get("description")]
    assert not silent
    assert not [name for _, name, schema in options() if "\n" in schema["description"]]


def test_defaults_are_written_as_people_write_them() -> None:
    defaults = {(group, name): schema.get("default") for group, name, schema in options()}
    assert defaults["Repository", "lock_wait"] == "10m"
    assert defaults["Repository", "min_free"] == "5GiB"
    assert defaults["Config", "listen"] == "127.0.0.1:9851"
    assert defaults["Config", "clock"] == {"max_offset": "1m", "require_sync": True}


def test_defaults_are_valid_themselves() -> None:
    for group, name, schema in options():
        if "default" in schema:
            definition = {**schema, "$defs": SCHEMA["$defs"]}
            validator = jsonschema.Draft202012Validator(definition)
            assert validator.is_valid(schema["default"]), (group, name)


def test_every_option_stands_in_the_example_written_or_commented_out() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    shown = set(re.findall(r"^[ #-]*([a-z0-9_]+):(?: |$)", text, re.MULTILINE))
    shown |= set(re.findall(r"[{,] *([a-z0-9_]+): ", text))
    assert {name for _, name, _ in options()} <= shown


def test_what_is_commented_out_in_the_example_is_an_option() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    commented = set(re.findall(r"^ *# ([a-z0-9_]+): \S+$", text, re.MULTILINE))
    assert commented
    assert commented <= {name for _, name, _ in options()}


WRONG: dict[str, tuple[tuple[str | int, ...], object]] = {
    "an unknown option": (("lisen",), "127.0.0.1:1"),
    "an unknown language": (("language",), "fr"),
    "a text for a truth": (("demo",), "yes"),
    "a relative directory": (("state",), "var"),
    "a duration without a unit": (("clock", "max_offset"), 60),
    "a duration in words": (("backup_sets", "dossiers", "rpo"), "one day"),
    "a size in words": (("repositories", "main", "min_free"), "5 gigs"),
    "a repository of unknown form": (("repositories", "main", "url"), "b2:bucket"),
    "no repositories": (("repositories",), {}),
    "a name with capitals": (("repositories", "Main"), {"url": "/a", "password_file": "/b"}),
    "no password": (("repositories", "main", "password_file"), None),
    "two passwords": (("repositories", "main", "password_credential"), "a"),
    "two files of keys": (("repositories", "offsite", "s3_credentials_credential"), "a"),
    "an hour that is none": (("backup_sets", "dossiers", "schedule"), "25:00"),
    "no members": (("backup_sets", "dossiers", "members"), {}),
    "an unknown kind": (("backup_sets", "dossiers", "members", "scans", "kind"), "file"),
    "an option of the other kind": (("backup_sets", "dossiers", "members", "scans", "jobs"), 1),
    "a pattern": (("backup_sets", "dossiers", "members", "scans", "exclude"), ["*.tmp"]),
    "a way out": (("backup_sets", "dossiers", "members", "scans", "exclude"), ["a/../b"]),
    "a password": (
        ("backup_sets", "dossiers", "members", "database", "connection"),
        "dbname=a password=b",
    ),
    "no jobs": (("backup_sets", "dossiers", "members", "database", "jobs"), 0),
    "a nameless invariant": (("backup_sets", "dossiers", "prove", "invariants", 0, "name"), " "),
    "orphans of another sort": (
        ("backup_sets", "dossiers", "prove", "reconcile", 0, "orphans"),
        "warn",
    ),
}


@pytest.mark.parametrize(("location", "value"), WRONG.values(), ids=WRONG)
def test_an_editor_marks_typical_mistakes(location: tuple[str | int, ...], value: object) -> None:
    tree = deepcopy(example())
    inner: Any = tree
    for part in location[:-1]:
        inner = inner[part]
    inner[location[-1]] = value
    assert not VALIDATOR.is_valid(tree)
