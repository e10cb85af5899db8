"""Base of the OpenAPI document: the scope, the errors and the key of every operation, and the types of bodies."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

from skg_site.api.problems import MAX_REPORTED, MEDIA_TYPE, ProblemOut

if TYPE_CHECKING:
    # DRF's settings name a class of this module, so DRF imports it before its own views.
    from skg_site.api.views import APIViewSet

_WHEN = {
    400: "The request is malformed: JSON that does not parse, a header twice, a host that is not served.",
    401: "The API key is missing, malformed, unknown, revoked or expired.",
    403: "The key lacks the scope, or may not be used from this address.",
    404: "There is nothing with this id.",
    405: "The path does not take this method; `Allow` lists those it takes.",
    406: "The client accepts no JSON.",
    408: "The body did not arrive in time.",
    409: "The request conflicts with what is stored.",
    412: "`If-Match` names another version.",
    413: "The body is too large.",
    415: "The body is not declared as JSON, or is compressed.",
    422: f"The input is not valid; `errors` lists its faults with their places, {MAX_REPORTED} at most.",
    429: "The rate limit is used up; `Retry-After` says for how many seconds.",
    503: "The database cannot be reached, is busy, or the read took too long; or more is asked than can be answered.",
}


class BearerKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass has no types
    """The Authorization header with a key."""

    target_class = "apikeys.authentication.BearerKey"
    match_subclasses = True
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer skg_prod_…`"}


class TypedDictExtension(PydanticExtension):  # type: ignore[no-untyped-call]  # its metaclass has no types
    """Documents a `TypedDict`: the type of the dict that is sent, which costs nothing at run time."""

    @classmethod
    def _matches(cls, target: Any) -> bool:
        return is_typeddict(target)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        schema = TypeAdapter(self.target).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        register_parts(auto_schema, schema.pop("$defs", {}))
        return schema


def register_parts(auto_schema: AutoSchema, parts: dict[str, Any]) -> None:
    """Make components of the schemas that another refers to."""
    for name, schema in parts.items():
        component = ResolvedComponent(  # type: ignore[no-untyped-call]  # it has no types
            name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema
        )
        known = auto_schema.registry._components.get(component.key)
        # Two types of one name would be documented as whichever came first.
        assert known is None or known.schema == schema, f"two types are called {name}"
        auto_schema.registry.register_on_missing(component)


class OperationSchema(AutoSchema):
    """drf-spectacular's schema of an operation, with the parts that all operations of the API share."""

    view: "APIViewSet"  # type: ignore[override]  # all views with this schema are of this class

    def get_operation_id(self) -> str:
        return f"{self.view.basename}_{self.view.action}"

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular drops the parent's arguments
        # Docstrings are for readers of the code; `extend_schema` has the text of the page.
        return ""

    def get_tags(self) -> list[str]:
        return [self.view.basename]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Lists of the API answer an object with a page; the library would document an array."""
        return False

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            self.resolve_serializer(ProblemOut, "response")  # type: ignore[arg-type]  # it takes what an extension matches
            self._describe_scope(operation)
            statuses = {int(status) for status in operation["responses"]}
            for status in sorted(self._usual_problems(operation) - statuses):
                operation["responses"][str(status)] = _problem_response(status)
            for status in statuses & _WHEN.keys():
                response = operation["responses"][str(status)]
                response["description"] = response["description"] or _WHEN[status]
        return operation

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> tuple[Any, bool]:
        """The body as the library has it, and required where the view says so, whatever its fields are."""
        schema, _ = super()._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]  # it has none
        return schema, self.view.action not in self.view.optional_bodies

    def _usual_problems(self, operation: dict[str, Any]) -> set[int]:
        usual = {406}
        if self.view.authentication_classes:
            usual |= {400, 401, 403, 429, 503}
        if "requestBody" in operation:
            usual |= {408, 415, 422}
            if self.view.action not in self.view.streamed_bodies:
                usual.add(413)
        if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
            usual.add(422)
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
            usual.add(404)
        return usual

    def _describe_scope(self, operation: dict[str, Any]) -> None:
        scope = self.view.scopes.get(self.view.action)
        if scope is not None:
            needed = f"Needs the scope `{scope}`." if scope else "Any valid key may call this."
            operation["description"] = f"{operation.get('description', '')}\n\n{needed}".strip()


def problems(*statuses: int) -> dict[tuple[int, str], Any]:
    """Problem responses that only some operations have, for `extend_schema`."""
    return {(status, MEDIA_TYPE): ProblemOut for status in statuses}


def request_example(name: str, content: object) -> OpenApiExample:
    return OpenApiExample(name, content, request_only=True)


def response_example(name: str, content: object, status: int | None = None) -> OpenApiExample:
    """An example of the responses with this status, or of every successful one."""
    return OpenApiExample(name, content, response_only=True, status_codes=None if status is None else [str(status)])


def if_match(thing: str) -> OpenApiParameter:
    return _condition("If-Match", f"Only if the {thing}", OpenApiExample("Any version", "*"))


def if_none_match(thing: str) -> OpenApiParameter:
    return _condition("If-None-Match", f"304 if the {thing}", OpenApiExample("What is known", '"3f2a"'))


def _condition(header: str, begin: str, example: OpenApiExample) -> OpenApiParameter:
    """A header of entity tags; `begin` is the begin of its description."""
    description = f"{begin} still has this entity tag, as `ETag` gave it."
    return OpenApiParameter(
        header, OpenApiTypes.STR, OpenApiParameter.HEADER, description=description, examples=[example]
    )


def not_modified(thing: str) -> dict[int, OpenApiResponse]:
    """The response to a request with `If-None-Match`."""
    return {304: OpenApiResponse(description=f"The {thing} is as `If-None-Match` names it.")}


def _problem_response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _WHEN[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}}
    return response
