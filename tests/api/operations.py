"""The operations of the OpenAPI document, for tests that walk over all of them."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from skg_site.site_views import _openapi_document
from triples import ids

DOCUMENT: dict[str, Any] = orjson.loads(_openapi_document())
PROBLEM = "application/problem+json"
# What stands in a path for something that is not there, by the path's first part.
NOTHING = {
    "triples": ids.pack(1_700_000_000_000, 2**40),
    "import": ids.pack(1_700_000_000_000, 2**40, ids.IMPORT),
    "recurse": ids.pack(1_700_000_000_000, 2**40, ids.RUN),
    "rules": "no-rule",
    "keys": "AAAAAAAA",
}


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the document describes it."""

    method: str
    route: str
    described: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def names_one(self) -> bool:
        """True if the path names one thing among many."""
        return "{" in self.route

    def path(self, id_: str = "") -> str:
        """The path with this id or name in it, or with one that nothing has."""
        return re.sub(r"\{\w+\}", lambda _: id_ or NOTHING[self.route.split("/")[1]], self.route)

    @property
    def id(self) -> str:
        return str(self.described["operationId"])

    @property
    def problems(self) -> set[int]:
        """The statuses that are documented as problems."""
        responses = self.described["responses"].items()
        return {int(status) for status, response in responses if PROBLEM in response.get("content", {})}

    @property
    def needs_key(self) -> bool:
        return bool(self.described.get("security"))

    @property
    def scope(self) -> str | None:
        """The scope that a key must have; None where any key will do, or none."""
        match = re.search(r"Needs the scope `(\w+)`\.", self.described.get("description", ""))
        return match[1] if match else None

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.described

    @property
    def query_string(self) -> dict[str, dict[str, Any]]:
        """The schemas of the parameters that the query string may have."""
        return {one["name"]: one["schema"] for one in self.described.get("parameters", []) if one["in"] == "query"}

    @property
    def json_members(self) -> dict[str, dict[str, Any]]:
        """The schemas of the members that a body of JSON may have, where one model describes it."""
        schema = self.described["requestBody"]["content"]["application/json"]["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        members: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"].get(name, schema).get("properties", {})
        return members

    @property
    def parameters(self) -> dict[str, str]:
        """The documented examples of the parameters that the query string must have."""
        required = [one for one in self.described.get("parameters", []) if one["in"] == "query" and one.get("required")]
        found = {one["name"]: one["schema"]["examples"][0] for one in required}
        # Nothing else tells the format of the documented file.
        return found | ({"format": "tsv"} if self.route == "/import" else {})

    @property
    def takes_json(self) -> bool:
        return self.takes_body and "application/json" in self.described["requestBody"]["content"]

    @property
    def body(self) -> dict[str, Any]:
        """The documented body, as an argument of httpx."""
        if not self.takes_body:
            return {}
        return {"json": self.example} if self.takes_json else {"content": self.example.encode()}

    @property
    def example(self) -> Any:
        """The documented body."""
        [media] = self.described["requestBody"]["content"].values()
        return next(iter(media["examples"].values()))["value"]


OPERATIONS = [
    Operation(method.upper(), route, described)
    for route, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
]


def of_types(schemas: dict[str, dict[str, Any]], *types: str) -> list[str]:
    """The names of the members that may have a value of one of these types."""
    return [
        name
        for name, schema in schemas.items()
        if {one.get("type") for one in [schema, *schema.get("anyOf", [])]} & set(types)
    ]
