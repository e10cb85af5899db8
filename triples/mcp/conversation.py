"""Answers one message: what the service is, which tools there are, or what a tool finds."""

from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from skg_site.api.json_value_limit import MAX_VALUES
from skg_site.api.problems import FieldError, Invalid
from skg_site.api.reading import NotJSON, read_body
from skg_site.api.request import http_of
from skg_site.api.views import APIViewSet, json_answer
from triples.mcp import protocol
from triples.mcp.answers import Answer, Refusal, quoted
from triples.mcp.protocol import Call, Fault
from triples.mcp.refusals import MOST_BYTES, sentence_for
from triples.mcp.tools import BY_NAME, Tool, tools_for
from triples.metrics import count_tool_call
from triples.store.operations import StoreError

# Where a call has the arguments of its tool.
_ARGUMENTS = ["params", "arguments"]


async def respond(view: APIViewSet, request: Request, scopes: Collection[str]) -> HttpResponse:
    """The HTTP answer to the message in the body of a request of somebody with these scopes."""
    http = http_of(request)
    message: Any = None
    try:
        message, inexact = await _message(request)
        if any(fault["loc"][:2] != _ARGUMENTS for fault in inexact):
            raise protocol.no_request(sentence_for(Invalid(inexact)))
        call = protocol.read_call(message, http)
        if call is None:
            return HttpResponse(status=202)
        result = protocol.result_of(call, await _result(view, request, scopes, call, inexact))
    except Fault as fault:
        error = {"code": fault.code, "message": str(fault)} | ({} if fault.data is None else {"data": fault.data})
        answer = {"jsonrpc": "2.0", "id": protocol.request_id(message), "error": error}
        return json_answer(answer, protocol.status_of(fault, http))
    return json_answer({"jsonrpc": "2.0", "id": protocol.request_id(message), "result": result})


async def _message(request: Request) -> tuple[Any, list[FieldError]]:
    """The message, and the numbers in it that lose precision."""
    try:
        return await read_body(
            request,
            lambda content: (content, []),
            most_values=MAX_VALUES,
            read_inexact=lambda content, faults: (content, faults),
            # Gateways have their own.
            any_parameters=True,
        )
    except NotJSON as error:
        raise protocol.no_json(error.reason) from None
    except Invalid as error:
        raise protocol.no_request(sentence_for(error)) from None


async def _result(
    view: APIViewSet, request: Request, scopes: Collection[str], call: Call, inexact: list[FieldError]
) -> Mapping[str, Any]:
    match call.method:
        case "initialize":
            return protocol.initialized(call)
        case "server/discover":
            return protocol.discovered()
        case "ping":
            return {}
        case "tools/list":
            documents = [tool.document for tool in tools_for(scopes)]
            return {"tools": documents, "ttlMs": protocol.KEEP_MS, "cacheScope": "private"}
        case "tools/call":
            return await _called(view, request, scopes, call, inexact)
        case _:
            raise protocol.no_method(call.method)


async def _called(
    view: APIViewSet, request: Request, scopes: Collection[str], call: Call, inexact: list[FieldError]
) -> Mapping[str, Any]:
    tool = BY_NAME.get(call.params["name"])
    if tool is None:
        raise protocol.unknown_tool(call.params["name"])
    try:
        _check_scope(tool, scopes)
        _check_numbers(inexact)
        answer = await _answer(view, request, tool, call.params.get("arguments") or {})
    except (Refusal, Invalid, StoreError) as error:
        count_tool_call(tool.name, "refused")
        text = sentence_for(error).encode()[:MOST_BYTES].decode(errors="ignore")
        return {"content": [{"type": "text", "text": text}], "isError": True}
    count_tool_call(tool.name, "answered")
    return {"content": [{"type": "text", "text": answer.text}], "structuredContent": answer.structured}


def _check_scope(tool: Tool, scopes: Collection[str]) -> None:
    if tool.scope not in scopes:
        raise Refusal(f"{tool.name} needs a key with the scope {tool.scope}, which this key lacks. Tell the user.")


def _check_numbers(inexact: list[FieldError]) -> None:
    """Refuses a call with such numbers, as a result: a model reads it, and an error of the protocol hardly ever."""
    if inexact:
        raise Invalid([{**fault, "loc": fault["loc"][2:]} for fault in inexact])


async def _answer(view: APIViewSet, request: Request, tool: Tool, arguments: dict[str, Any]) -> Answer:
    if unknown := arguments.keys() - tool.properties:
        names = ", ".join(quoted(name) for name in sorted(unknown)[:5])
        raise Refusal(f"{tool.name} has no argument {names}; it has {', '.join(tool.properties)}.")
    # Many models name every argument, and give null for what they leave out.
    work = tool.work({name: value for name, value in arguments.items() if value is not None})
    await view.charge(request, work.cost - 1)
    answering: Coroutine[Any, Any, Answer] = work.answer()
    # A write that has begun is not called off.
    return await (view.while_allowed(answering) if tool.scope == "read" else answering)
