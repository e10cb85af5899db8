"""Export of spans: in batches, from a thread, with keys masked."""

from collections.abc import Sequence

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status

from skg_site.observe.masking import masked_text
from skg_site.observe.once_a_minute import once_a_minute
from skg_site.version import VERSION

TRACES_PATH = "/v1/traces"


def provider_for_settings() -> TracerProvider:
    """A provider that exports in batches from a thread, and exports the rest when the process ends."""
    env = settings.ENV
    resource = Resource.create({"service.name": "skg-api", "service.version": VERSION})
    provider = TracerProvider(ParentBased(TraceIdRatioBased(env.trace_sample)), resource)
    endpoint = env.otlp_endpoint.removesuffix("/").removesuffix(TRACES_PATH) + TRACES_PATH
    once_a_minute("opentelemetry", "skg.tracing", "traces_not_exported")
    provider.add_span_processor(BatchSpanProcessor(MaskingExporter(endpoint)))
    return provider


class MaskingExporter(OTLPSpanExporter):
    """Masks keys in the spans, in the thread that exports them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([_masked_span(span) for span in spans])


def _masked_span(span: ReadableSpan) -> ReadableSpan:
    status = span.status
    return ReadableSpan(
        name=masked_text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={
            name: masked_text(value) if isinstance(value, str) else value
            for name, value in (span.attributes or {}).items()
        },
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=Status(status.status_code, masked_text(status.description)) if status.description else status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
