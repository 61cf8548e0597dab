"""What pydantic found, as sentences of the catalogue about options as they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opsd.catalogue import SENTENCES
from opsd.config.mistakes import Finding
from opsd.config.schema import Config, Location
from opsd.config.tree import kind_of
from opsd.config.wrong import nearest

# Every error of pydantic's own that a configuration can cause -> its sentence.
PYDANTIC: Final[Mapping[str, str]] = {
    "bool_type": "config.truth_expected",
    "dict_type": "config.group_expected",
    "enum": "config.choice",
    "extra_forbidden": "config.unknown",
    "finite_number": "config.number_expected",
    "float_type": "config.number_expected",
    "greater_than": "config.more_than",
    "greater_than_equal": "config.at_least",
    "int_type": "config.whole_number_expected",
    "invalid_key": "config.name_text",
    "less_than_equal": "config.at_most",
    "mapping_type": "config.group_expected",
    "missing": "config.missing",
    "model_attributes_type": "config.group_expected",
    "model_type": "config.group_expected",
    "string_type": "config.text_expected",
    "too_short": "config.one_needed",
    "tuple_type": "config.list_expected",
    "union_tag_invalid": "config.choice",
    "union_tag_not_found": "config.missing",
}
# What follows from another mistake that is told anyway.
_CONSEQUENCES: Final = frozenset({"default_factory_not_called"})
_OF_NAMES: Final = frozenset({"extra_forbidden", "invalid_key"})
_UNFORESEEN: Final = "config.not_usable"


def explain(error: ValidationError, root: type[BaseModel] = Config) -> Iterator[Finding]:
    """The findings in a refusal of `Config`, or of what else is written as a file."""
    found = error.errors(include_url=False)
    for one in found:
        if not _follows(one, found):
            yield from _explain(one, root)


def _follows(one: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a list is only too short because pydantic does not count what is wrong in it."""
    inside = (other["loc"][: len(one["loc"])] == one["loc"] for other in others if other is not one)
    return one["type"] == "too_short" and any(inside)


def _explain(error: ErrorDetails, root: Any) -> Iterator[Finding]:  # noqa: ANN401
    """One error; of a member of unknown kind also what is wrong if its kind is only misspelt."""
    kind = error["type"]
    if kind in _CONSEQUENCES:
        return
    location, annotation = _written(error["loc"], root)
    key = PYDANTIC.get(kind) or f"config.{kind}"
    fields = {**_fields(error, annotation, root), **_limits(error)}
    if kind.startswith("union_tag"):
        location = (*location, "kind")
    of_name = kind in _OF_NAMES or error["loc"][-1:] == ("[key]",)
    yield Finding(location, key if key in SENTENCES else _UNFORESEEN, fields, of_name)
    if kind == "union_tag_invalid" and "close" in fields:
        yield from _with_kind(str(fields["close"]), error, annotation, root)


def _fields(error: ErrorDetails, annotation: Any, root: Any) -> dict[str, object]:  # noqa: ANN401
    """What the sentence needs to know, and what was probably meant."""
    match error["type"]:
        case "extra_forbidden":
            model = _bare(_written(error["loc"][:-1], root)[1])
            return _closest(str(error["loc"][-1]), list(model.model_fields))
        case "enum":
            choices = [str(choice.value) for choice in _choices(annotation)]
            return _choice(error["input"], choices)
        case "union_tag_invalid":
            return _choice(error["ctx"]["tag"], list(_variants(annotation)))
        case kind if kind in PYDANTIC:
            return {"found": kind_of(error["input"])}
        case _:
            return dict(error.get("ctx", {}))


def _limits(error: ErrorDetails) -> dict[str, object]:
    limits = error.get("ctx", {})
    limit = limits.get("ge", limits.get("gt", limits.get("le")))
    return {} if limit is None else {"limit": limit}


def _choice(found: object, choices: list[str]) -> dict[str, object]:
    close = _closest(found, choices) if isinstance(found, str) else {}
    return {"choices": ", ".join(choices), **close}


def _closest(word: str, known: list[str]) -> dict[str, object]:
    close = nearest(word, known)
    return {"close": close} if close else {}


def _with_kind(
    kind: str,
    error: ErrorDetails,
    annotation: Any,  # noqa: ANN401
    root: Any,  # noqa: ANN401
) -> Iterator[Finding]:
    model = _variants(annotation)[kind]
    try:
        model.model_validate({**error["input"], "kind": kind})
    except ValidationError as inner:
        for one in inner.errors(include_url=False):
            one["loc"] = (*error["loc"], kind, *one["loc"])
            yield from _explain(one, root)


def _written(location: Location, root: Any) -> tuple[Location, Any]:  # noqa: ANN401
    """A location without what pydantic adds to it, and the annotation of what is there."""
    written: Location = ()
    annotation: Any = root
    for part in location:
        if part == "[key]":
            continue
        inner, is_written = _inner(annotation, part)
        annotation = inner
        written = (*written, part) if is_written else written
    return written, annotation


def _inner(annotation: Any, part: str | int) -> tuple[Any, bool]:  # noqa: ANN401
    """The annotation of a part of something, and whether the file names that part."""
    kind = _bare(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return (field.annotation if field else None), True
    if variants := _variants(kind):
        return variants.get(str(part)), False
    inner = get_args(kind)
    return (inner[get_origin(kind) is Mapping] if inner else None), True


def _bare(annotation: Any) -> Any:  # noqa: ANN401
    """An annotation without `Annotated` and `None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        real = [one for one in get_args(annotation) if one is not type(None)]
        return _bare(real[0]) if len(real) == 1 else annotation
    return annotation


def _choices(annotation: Any) -> type[Enum]:  # noqa: ANN401
    found: type[Enum] = _bare(annotation)
    return found


def _variants(annotation: Any) -> dict[str, type[BaseModel]]:  # noqa: ANN401
    """The models of a union by their `kind`; nothing for anything else."""
    kind = _bare(annotation)
    if get_origin(kind) not in (Union, UnionType):
        return {}
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(kind)}
