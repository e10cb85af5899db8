"""The shape of a type and of a schema, in the same words, so that they can be compared."""

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

# A type that holds itself is looked into so often.
DEEPEST = 12
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", Any: "any"}

Shape = Any


def shape_of_type(found: Any, depth: int = 0) -> Shape:
    if depth > DEEPEST:
        return "…"
    if found in _PLAIN:
        return _PLAIN[found]
    if is_typeddict(found):
        hints = get_type_hints(found)
        return {name: (name in found.__required_keys__, shape_of_type(hint, depth + 1)) for name, hint in hints.items()}
    return _shape_of_generic(get_origin(found), get_args(found), depth)


def _shape_of_generic(origin: Any, arguments: tuple[Any, ...], depth: int) -> Shape:
    if origin is Literal:
        return ("one of", frozenset(arguments))
    if origin in {Union, types.UnionType}:
        return _either([shape_of_type(argument, depth + 1) for argument in arguments])
    if origin is dict:
        return ("map", shape_of_type(arguments[1], depth + 1))
    inner = [shape_of_type(argument, depth + 1) for argument in arguments]
    return ("tuple", *inner) if origin is tuple else ("list", *inner)


def shape_of_schema(schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> Shape:
    if depth > DEEPEST:
        return "…"
    if "$ref" in schema:
        return shape_of_schema(document["components"]["schemas"][schema["$ref"].split("/")[-1]], document, depth)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return _either([shape_of_schema(one, document, depth + 1) for one in schema[word]])
    if "enum" in schema:
        return ("one of", frozenset(schema["enum"]))
    if schema.get("type") == "array":
        inner = schema.get("prefixItems")
        shapes = [shape_of_schema(one, document, depth + 1) for one in inner or [schema["items"]]]
        return ("tuple", *shapes) if inner else ("list", *shapes)
    return _shape_of_object(schema, document, depth)


def _shape_of_object(schema: dict[str, Any], document: dict[str, Any], depth: int) -> Shape:
    if "properties" in schema:
        required = schema.get("required", [])
        members = schema["properties"].items()
        return {name: (name in required, shape_of_schema(one, document, depth + 1)) for name, one in members}
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return ("map", shape_of_schema(values, document, depth + 1) if isinstance(values, dict) else "any")
    return schema.get("type", "any")


def _either(shapes: list[Shape]) -> Shape:
    # Shapes of objects are dictionaries, which a set does not hold.
    return ("either", sorted(map(repr, shapes))) if len(shapes) > 1 else shapes[0]
