"""JSON that somebody else may have written: read strictly, and held against a JSON Schema (draft 4) before it is used.

fastjsonschema makes a function of a schema; what that lets pass, numbers that are not finite, ``finite`` refuses.
"""

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from reprlib import Repr
from typing import Any, NoReturn

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-04/schema#"  # in which 1.0 is no integer
DIGITS = 4300  # the most that Python makes an integer of


class SchemaError(ValueError):
    """What is wrong with a value: the field, what it must be, what it is."""


def fields(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these fields and no other"""
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def named(values: Schema) -> Schema:
    """An object of any names, whose values are all alike"""
    return {"type": "object", "additionalProperties": values}


def several(items: Schema, least: int = 0, most: int | None = None, **more: Any) -> Schema:
    """A list"""
    return {"type": "array", "items": items, "minItems": least, **({} if most is None else {"maxItems": most}), **more}


def one_of(*values: object) -> Schema:
    return {"enum": list(values)}


def whole(least: int, most: int = 2**53) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float | None = None, most: float | None = None) -> Schema:
    """Finite where ``finite`` is asked too."""
    bounds = {"minimum": least, "maximum": most}
    return {"type": "number", **{k: v for k, v in bounds.items() if v is not None}}


def above(least: float) -> Schema:
    return {"type": "number", "minimum": least, "exclusiveMinimum": True}


def or_null(schema: Schema) -> Schema:
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
LINE: Schema = {"type": "string", "maxLength": 1000}
FILE: Schema = {"type": "string", "minLength": 1, "maxLength": 5000, "pattern": "^[^\\0]*$"}  # a name of one
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
COUNT = whole(0)


def parsed(text: str | bytes) -> Any:
    """The value that JSON says.  ValueError: it is none, says a name twice, or is nested too deep."""
    try:
        return json.loads(text, object_pairs_hook=unique, parse_int=integer)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, v in pairs:
        if name in value:
            raise ValueError(f"{short(name)} stands there twice")
        value[name] = v
    return value


def integer(digits: str) -> int | float:
    """As a number with more digits than Python takes, which is no integer to a schema."""
    return int(digits) if len(digits) <= DIGITS else math.inf


def check(value: Any, schema: Schema, name: str = "") -> None:
    """SchemaError: the first thing that is not as the schema says.  ``name`` is what the value is called in the sentence."""
    checker(schema)(value, name)


def checker(schema: Schema) -> Callable[[Any, str], None]:
    """``check`` for many values"""
    from fastjsonschema import JsonSchemaValueException  # only who reads a file needs it

    validate = compiled(json.dumps(schema))

    def check(value: Any, name: str) -> None:
        try:
            validate(value)
        except JsonSchemaValueException as e:
            refuse(e, name)

    return check


@cache
def compiled(schema: str) -> Callable[[Any], Any]:
    import fastjsonschema

    return fastjsonschema.compile({"$schema": DRAFT, **json.loads(schema)})


def refuse(e: Any, name: str) -> NoReturn:
    """The sentence for what fastjsonschema has found."""
    place = joined(name, e.name.removeprefix("data").removeprefix("."))
    if e.rule == "required":
        raise SchemaError(f"{joined(place, min(set(e.rule_definition) - e.value.keys()))} is missing")
    if e.rule == "additionalProperties":
        raise SchemaError(f"{joined(place, shown(min(e.value.keys() - e.definition.get('properties', {}).keys())))} is unknown")
    if e.rule == "dependencies":
        lacking = {needed for k, several in e.rule_definition.items() if k in e.value for needed in several} - e.value.keys()
        raise SchemaError(f"{joined(place, min(lacking))} is missing")
    raise SchemaError(f"{shown(place) or 'it'}{shown(e.message.removeprefix(e.name))}, got {short(e.value)}")


def finite(value: Any, name: str = "", infinite: tuple[str, ...] = (), long: tuple[str, ...] = ()) -> None:
    """SchemaError: a number in it is inf, NaN, or whole and too long for NumPy, which no float is that JSON writes.

    Fields in ``infinite`` may be inf, those in ``long`` that long.
    """
    left = [(name, value)]
    while left:
        place, v = left.pop()
        if isinstance(v, dict):
            left += [(joined(place, k), w) for k, w in v.items()]
        elif isinstance(v, list):
            left += [(f"{place}[{k}]", w) for k, w in enumerate(v) if not isinstance(w, str)]
        elif isinstance(v, float) and not math.isfinite(v) and not (place in infinite and v == math.inf):
            raise SchemaError(f"{shown(place)} must be a finite number, got {v}")
        elif isinstance(v, int) and not -(2**63) <= v < 2**63 and place not in long:
            raise SchemaError(f"{shown(place)} must be a whole number of 64 bits or a float, got {short(v)}")


def joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place and name and not name.startswith("[") else place + name


def short(value: object) -> str:
    """As Python writes it, cut to a few words."""
    brief = Repr()
    brief.maxlevel, brief.maxstring, brief.maxother, brief.maxlong = 2, 40, 40, 40
    brief.maxlist = brief.maxdict = brief.maxtuple = 3
    return shown(brief.repr(value))


def shown(text: str, most: int = 100) -> str:
    """So that it can be printed on a line, cut if it is long."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"
