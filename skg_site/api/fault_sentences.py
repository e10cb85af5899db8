"""Pydantic's faults in words that do not need to know Python, nor the pattern of a cursor."""

from pydantic_core import ErrorDetails

_SENTENCES = {
    "model_type": "Input should be an object",
    "dict_type": "Input should be an object",
    "tuple_type": "Input should be a list",
    "bool_type": "Input should be true or false",
    "bool_parsing": "Input should be true or false",
}


def plain_sentence(fault: ErrorDetails) -> str:
    """The sentence in which a problem tells the fault."""
    if fault["type"] == "string_pattern_mismatch" and fault["loc"][-1:] == ("cursor",):
        return "This is no cursor of this list: give the one that the answer before had"
    return _SENTENCES.get(fault["type"]) or fault["msg"].removeprefix("Value error, ").replace(" after validation", "")
