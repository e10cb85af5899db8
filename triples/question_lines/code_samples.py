"""Calls of the API that ask a question, to copy: for a shell, and for Python."""

import shlex
from collections.abc import Mapping
from typing import Any

import orjson

from triples.visible import visible_json

PATH = "/query/patterns"


def curl_line(url: str, document: Mapping[str, Any]) -> str:
    """The call of the API with this body, for a shell that has a key in API_KEY."""
    body = visible_json(orjson.dumps(document).decode())
    return (
        f"curl -X POST {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)}"
    )


def python_lines(url: str, document: Mapping[str, Any]) -> str:
    """The same call for Python without further packages, with the key in the environment's API_KEY."""
    # `repr` escapes what cannot be seen.
    return (
        "import json, os, urllib.request\n\n"
        f"question = {dict(document)!r}\n"
        "request = urllib.request.Request(\n"
        f"    {url!r},\n"
        "    json.dumps(question).encode(),\n"
        '    {"Authorization": "Bearer " + os.environ["API_KEY"], "Content-Type": "application/json"},\n'
        ")\n"
        'for answer in json.load(urllib.request.urlopen(request))["results"]:\n'
        '    print(answer["weight"], answer["bindings"])'
    )
