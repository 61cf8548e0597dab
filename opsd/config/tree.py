"""The YAML file as a tree that remembers where everything was written.

Plain words mean what YAML 1.2 says: `13:30` is a text and not 810, `no` is a text and not false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from opsd.config.mistakes import ConfigMistakes, Finding, Kind, Mistake
from opsd.config.schema import Location

Place = tuple[int, int]


class _Syntax(yaml.MarkedYAMLError):
    """A text that this reader refuses although YAML would take it; `problem` names a sentence."""


class _Loader(yaml.SafeLoader):
    """Reads the core schema of YAML 1.2, without tags."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (PyYAML's own way to say it)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        """The next node, unless it carries a tag or half a character."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # (types-PyYAML)
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Syntax(problem="tag", problem_mark=event.start_mark)
        if re.search("[\ud800-\udfff]", getattr(event, "value", None) or ""):
            raise _Syntax(problem="character", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,3})?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})\Z"), list(_first)
    )

# What PyYAML says (context, then problem) -> sentence, and whether the context is the better place.
_SYNTAX: Final = tuple(
    (re.compile(pattern, re.DOTALL), key, at_context)
    for pattern, key, at_context in (
        (r"found character '\\t'", "tab", False),
        (r"mapping values are not allowed", "colon", False),
        (r"could not find expected ':'", "no_colon", True),
        (r"quoted scalar.*found unexpected (end of stream|document)", "quote", True),
        (r"unknown escape|escape sequence|hexadecimal", "escape", False),
        (r"expected ',' or|flow (sequence|mapping|node)", "bracket", True),
        (
            r"block (mapping|collection|sequence)|expected <block end>|document start",
            "indent",
            False,
        ),
        (r"alias|anchor", "anchor", False),
        (r"single document", "second_document", False),
        (r"\btag\b", "tag", False),
        (r"unhashable", "name_text", False),
        (r"merging", "merge", False),
        (r"block scalar", "start", True),
        (r"cannot start any token|node content|directive|mapping keys", "start", False),
        (r"sequence entries", "indent", False),
        (r"^ character$", "character", False),
    )
)
_KINDS: Final = (
    (bool, "truth"),
    (int, "number"),
    (float, "number"),
    (str, "text"),
    (dict, "group"),
)


def kind_of(value: object) -> Kind:
    """What a value is, for messages that must not repeat it."""
    if value is None:
        return Kind("nothing")
    return Kind(next((name for kind, name in _KINDS if isinstance(value, kind)), "list"))


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a group or of a list; in a list, `key` is the part itself."""

    name: str | int
    key: yaml.Node
    value: yaml.Node

    @property
    def place(self) -> Place:
        """A single value is pointed at itself; a group or an empty value by its name."""
        single = isinstance(self.value, yaml.ScalarNode) and self.value.value != ""
        return _place(self.value if single else self.key)


class Tree:
    """A file that is YAML: its values, the places of its options, and the keys written twice."""

    def __init__(self, root: yaml.Node, values: object, twice: tuple[Mistake, ...]) -> None:
        self._root = root
        self.values = values
        self.twice = twice

    def place(self, finding: Finding) -> Place:
        """Line and column of what is wrong, or of the nearest thing around it that is written."""
        found = _Part("", self._root, self._root)
        for part in finding.location:
            inner = next((one for one in _parts(found.value) if str(one.name) == str(part)), None)
            if inner is None:
                return found.place
            found = inner
        return _place(found.key) if finding.of_name else found.place

    def places(self) -> dict[Location, Place]:
        """The places of all options; for a tree that was found to be valid, so it has an end."""
        return dict(_walk(_Part("", self._root, self._root), ()))


def plant(text: str, file: str) -> Tree:
    """The tree of a YAML text. Raises `ConfigMistakes` when it is none, or is empty."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise ConfigMistakes(file, (Mistake(1, 1, "", "config.empty_file"),))
        twice = tuple(_twice(root, (), set()))
        values = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise ConfigMistakes(file, (_syntax(error),)) from None
    except yaml.reader.ReaderError as error:
        place = _after(text[: error.position])
        raise ConfigMistakes(file, (Mistake(*place, "", "config.character"),)) from None
    except RecursionError:
        raise ConfigMistakes(file, (Mistake(1, 1, "", "config.too_deep"),)) from None
    if not isinstance(values, dict):
        fields = {"found": kind_of(values)}
        key = "config.group_expected" if values is not None else "config.empty_file"
        raise ConfigMistakes(file, (Mistake(*_place(root), "", key, fields),))
    return Tree(root, values, twice)


def _syntax(error: yaml.MarkedYAMLError) -> Mistake:
    said = f"{error.context or ''} {error.problem or ''}"
    key, at_context = next(
        ((key, at_context) for pattern, key, at_context in _SYNTAX if pattern.search(said)),
        ("syntax", False),
    )
    mark = error.context_mark if at_context and error.context_mark else error.problem_mark
    mark = mark or error.context_mark
    return Mistake(*((mark.line + 1, mark.column + 1) if mark else (1, 1)), "", f"config.{key}")


def _after(text: str) -> Place:
    """The line and column of what follows `text`."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _parts(node: yaml.Node) -> Iterator[_Part]:
    """The parts of a node, the last one of a name first: it is the one that counts."""
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            yield _Part(key.value if isinstance(key.value, str) else "", key, value)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield _Part(index, value, value)


def _walk(part: _Part, location: Location) -> Iterator[tuple[Location, Place]]:
    yield location, part.place
    for inner in _parts(part.value):
        yield from _walk(inner, (*location, inner.name))


def _twice(node: yaml.Node, location: Location, seen: set[int]) -> Iterator[Mistake]:
    """Names that stand twice in one group: YAML would keep the last and say nothing."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = first.setdefault(key.value, key.start_mark.line + 1)
            if (line, key.start_mark.column) != (key.start_mark.line + 1, key.start_mark.column):
                fields = {"line": str(line)}
                yield Finding((*location, key.value), "config.twice", fields).at(_place(key))
    for part in _parts(node):
        yield from _twice(part.value, (*location, part.name), seen)
