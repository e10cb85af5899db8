"""OpenTelemetry traces of requests, authentication, reads and writes of the graph, group commits and runs.

It is imported only if SKG_ENABLE_TRACING and SKG_OTLP_ENDPOINT are set, so tracing costs nothing otherwise. Spans
never hold a key, the value of a header or the text of a fact.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from time import time_ns
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.http import HttpResponse
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from rest_framework.request import Request

from apikeys.authentication import BearerKey
from apikeys.callers import Caller
from skg_site.api.door import Handler
from skg_site.api.request import APIRequest
from skg_site.host.write_lock import rows_committed
from skg_site.observe.masking import masked_value
from skg_site.observe.trace_export import provider_for_settings
from skg_site.version import VERSION
from triples.models import RecursionRun
from triples.query.finding_answers import Plan
from triples.runs.signals import round_ended, run_ended, run_requested, run_started
from triples.services.graph import Graph, graph
from triples.store.backend import backend
from triples.store.operations import Operation, Outcome
from triples.store.signals import group_committed

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

READS = ("heaviest", "page", "fact", "inferred_fact", "explain", "ask", "statistics")

_w3c = TraceContextTextMapPropagator()


_tracer: Tracer = provider_for_settings().get_tracer("skg", VERSION)


def start() -> None:
    """Trace the graph and the runs of this process. The classes below trace requests and authentication."""
    trace_graph(graph)
    group_committed.connect(trace_commit)
    rows_committed.connect(trace_transaction)
    run_requested.connect(hand_over)
    run_started.connect(trace_run)
    round_ended.connect(trace_round)
    run_ended.connect(end_run)


# Requests


class RequestSpan:
    """The outermost middleware of the API door, so that the log line of the request has the ids of its trace."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    async def __call__(self, request: APIRequest) -> HttpResponse:
        if request.path in settings.PROBE_PATHS:
            return await self.handler(request)
        with _tracer.start_as_current_span(
            "request", context=_caller_context(request), kind=SpanKind.SERVER, record_exception=False
        ) as span:
            response = await self.handler(request)
            _describe(span, request, response.status_code)
            request.answer_headers.append((b"traceresponse", _traceparent(span).encode()))
        return response


def _caller_context(request: APIRequest) -> Context:
    """The trace context that the caller sent."""
    headers: list[tuple[bytes, bytes]] = request.scope["headers"]
    carrier = {
        name.decode(): value.decode("latin-1")
        for name, value in headers
        # The state of other vendors is passed on, unless there is a key in it.
        if name in {b"traceparent", b"tracestate"} and masked_value(value, headers) == value
    }
    return _w3c.extract(carrier, Context())


def _describe(span: Span, request: APIRequest, status: int) -> None:
    span.update_name(f"{request.method} {request.route}")
    attributes: dict[str, str | int | None] = {
        "http.request.method": str(request.method),
        "http.route": request.route,
        "http.response.status_code": status,
        "client.address": request.client_address,
        "skg.request_id": request.request_id,
        "skg.key_id": request.key_id,
    }
    span.set_attributes({name: value for name, value in attributes.items() if value})
    if status >= 500:
        span.set_status(StatusCode.ERROR)


def _traceparent(span: Span) -> str:
    carrier: dict[str, str] = {}
    _w3c.inject(carrier, set_span_in_context(span))
    return carrier["traceparent"]


class TracedKey(BearerKey):
    """Authentication with a span, which is marked as failed if the key is missing or refused."""

    async def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:  # type: ignore[override]  # as its parent's
        caller = None
        with _tracer.start_as_current_span(
            "authenticate", record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                caller = await super().authenticate(request)
            finally:
                if caller is None:
                    span.set_status(StatusCode.ERROR)
        return caller


# The graph


def trace_graph(graph: Graph) -> None:
    for name in READS:
        setattr(graph, name, _traced(f"graph.{name}", getattr(graph, name)))
    write = graph.write

    async def traced_write(operation: Operation) -> Outcome:
        if not _in_trace():
            return await write(operation)
        with _tracer.start_as_current_span("graph.write", record_exception=False) as span:
            span.set_attributes({"db.system.name": backend().name, "skg.operation": type(operation).__name__})
            if span.is_recording():
                _writes[id(operation)] = span.get_span_context()
            try:
                return await write(operation)
            except BaseException:
                _writes.pop(id(operation), None)
                raise

    graph.write = traced_write  # type: ignore[method-assign]  # of this one object


def _traced(name: str, function: Callable[Parameters, Awaitable[Result]]) -> Callable[Parameters, Awaitable[Result]]:
    @wraps(function)
    async def traced(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if not _in_trace():
            return await function(*args, **kwargs)
        with _tracer.start_as_current_span(name, record_exception=False) as span:
            span.set_attribute("db.system.name", backend().name)
            result = await function(*args, **kwargs)
            if isinstance(plan := getattr(result, "plan", None), Plan):
                order = " ".join(map(str, plan.order))
                span.set_attributes(
                    {"skg.plan.way": plan.way, "skg.plan.order": order, "skg.plan.facts_read": plan.read}
                )
            return result

    return traced


def _in_trace() -> bool:
    """True while a traced request is being answered; the periodic checks and probes of a worker are not traced."""
    return get_current_span().get_span_context().is_valid


# The span contexts of the writes that wait for a commit, by the id of the operation.
_writes: dict[int, SpanContext] = {}


def trace_commit(operations: Sequence[Operation], seconds: float, **_: object) -> None:
    """Trace a commit as a part of the first write's trace, with links to the others."""
    waiting = [found for operation in operations if (found := _writes.pop(id(operation), None)) is not None]
    if not waiting:
        return
    end = time_ns()
    # The writer's thread has no current span.
    span = _tracer.start_span(
        "commit",
        set_span_in_context(NonRecordingSpan(waiting[0]), Context()),
        links=[Link(context) for context in waiting[1:]],
        attributes={"db.system.name": backend().name, "skg.writes": len(operations)},
        start_time=end - int(seconds * 1e9),
    )
    span.end(end)


def trace_transaction(seconds: float, **_: object) -> None:
    """Trace a commit of rules or keys, in the thread that does it for a request."""
    if not _in_trace():
        return
    end = time_ns()
    attributes = {"db.system.name": backend().name}
    _tracer.start_span("commit", attributes=attributes, start_time=end - int(seconds * 1e9)).end(end)


# Runs

_runs: dict[int, Span] = {}


def hand_over(variables: dict[str, str], **_: object) -> None:
    """Pass the trace of the request on to the run's process in its environment."""
    if _in_trace():
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        variables.update({name.upper(): value for name, value in carrier.items()})


def trace_run(run: RecursionRun, **_: object) -> None:
    carrier = {name.lower(): os.environ[name] for name in ("TRACEPARENT", "TRACESTATE") if name in os.environ}
    _runs[run.id] = _tracer.start_span("recursion", _w3c.extract(carrier, Context()), attributes={"skg.run": run.id})


def trace_round(run: RecursionRun, number: int, new: int, improved: int, seconds: float, **_: object) -> None:
    end = time_ns()
    span = _tracer.start_span(
        "recursion.round",
        set_span_in_context(_runs[run.id], Context()),
        attributes={"skg.round": number, "skg.new_facts": new, "skg.improved_facts": improved},
        start_time=end - int(seconds * 1e9),
    )
    span.end(end)


def end_run(run: RecursionRun, **_: object) -> None:
    span = _runs.pop(run.id)
    attributes = {"skg.outcome": run.status, "skg.mode": run.mode}
    span.set_attributes({name: value for name, value in attributes.items() if value})
    span.set_attribute("skg.facts", run.facts or 0)
    if run.error:
        span.set_status(StatusCode.ERROR)
    span.end()
