"""The configuration as JSON Schema, so that editors complete and check it while it is written."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.probe_values import write_share
from opsd.config.schema import Config
from opsd.config.units import write_duration, write_size

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

# Model -> pairs of options of which at most one may be given, and whether one must be.
_PAIRS: Final = (
    ("Heartbeat", ("url_file", "url_credential"), True),
    ("Config", ("store_passfile", "store_passfile_credential"), False),
    ("Repository", ("password_file", "password_credential"), True),
    ("Repository", ("s3_credentials_file", "s3_credentials_credential"), False),
    ("PostgresMember", ("passfile", "passfile_credential"), False),
    ("MariadbMember", ("socket", "host"), True),
    ("MariadbMember", ("passfile", "passfile_credential"), False),
    ("CommandMember", ("passfile", "passfile_credential"), False),
    ("Wal", ("passfile", "passfile_credential"), False),
    ("PostgresProbe", ("passfile", "passfile_credential"), False),
)


class _Generator(GenerateJsonSchema):
    """Writes defaults the way people write them."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401  (pydantic's signature)
        match dft:
            case timedelta(microseconds=0):
                return write_duration(dft)
            case timedelta():
                return f"{dft // timedelta(milliseconds=1)}ms"
            case Decimal():
                return write_share(dft)
            case Size():
                return write_size(dft)
            case str():
                return str(dft)
            case _:
                return super().encode_default(dft)


def json_schema() -> Schema:
    """The JSON Schema of the configuration file."""
    schema = Config.model_json_schema(schema_generator=_Generator)
    _describe(schema)
    for model, options, needed in _PAIRS:
        definition = schema["$defs"].get(model, schema)
        given = [{"required": [option], **_filled(option)} for option in options]
        rule: Schema = {"oneOf": given} if needed else {"not": {"allOf": given}}
        definition.setdefault("allOf", []).append(rule)
    _tidy(schema)
    return {"$schema": DIALECT, **schema, "title": "opsd"}


def _describe(schema: Schema) -> None:
    """Put what stands below each option in its class beside the option.

    Done here and not by pydantic while the classes are made: that would read their sources at the
    start of each command.
    """
    for model in _models(Options):
        properties = schema["$defs"].get(model.__name__, {}).get("properties", {})
        if model is Config:
            properties = schema["properties"]
        for base in reversed(model.__mro__):
            for name, text in _explained(base) if issubclass(base, Options) else ():
                if properties and (field := model.model_fields.get(name)) is not None:
                    properties[field.alias or name]["description"] = text


def _models(model: type[Options]) -> Iterator[type[Options]]:
    yield model
    for below in model.__subclasses__():
        yield from _models(below)


def _explained(model: type[Options]) -> Iterator[tuple[str, str]]:
    """Each option of a class that is followed by a text, and the text."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(found, ast.ClassDef)  # noqa: S101  (a model's source is a class)
    for field, text in zip(found.body, found.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(str(said))):
                yield name, inspect.cleandoc(said)


def _filled(option: str) -> Schema:
    return {"properties": {option: {"not": {"type": "null"}}}}


def _tidy(schema: object) -> None:
    """Close the groups with names of the user's own; write each description in one line."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
        if isinstance(description := schema.get("description"), str):
            schema["description"] = " ".join(description.split())
        for inner in schema.values():
            _tidy(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _tidy(inner)
