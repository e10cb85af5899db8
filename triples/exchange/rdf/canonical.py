"""The grammar of terms in N-Triples that cannot be written in any other way, so that the same fact is the same text."""

IRI = r'<[^\x00-\x20<>"{}|^`\\]*+>'
BLANK_NODE = r"_:[A-Za-z0-9_][A-Za-z0-9_.-]*+(?<!\.)"
# A node that the parser has named is known by its number in the file, which a block does not tell.
NOT_NUMBERED = r"(?!_:[a-f][0-9a-f]{19,31}\b)"
_CHARS = r'[^"\\\x00-\x1f\x7f]*+'
LITERAL = (
    rf'"{_CHARS}(?:\\[tbnrf"\\]{_CHARS})*+"'
    rf"(?:@[a-z]++(?:-[a-z0-9]++)*+|\^\^(?!<http://www\.w3\.org/2001/XMLSchema#string>){IRI})?+"
)
TERM = rf"(?:{IRI}|{LITERAL}|{BLANK_NODE})"
