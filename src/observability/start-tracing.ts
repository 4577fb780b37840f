// Loaded only when OTEL_EXPORTER_OTLP_ENDPOINT is set. What is patched here is patched on
// prototypes, so that it does not matter that the servers' modules were imported before.
import { createRequire } from "node:module";
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanOptions,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { IORedisInstrumentation } from "@opentelemetry/instrumentation-ioredis";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Tracer } from "../runtime/tracer.js";

export interface Tracing {
  tracer: Tracer;
  /** What a line of the log says of the span that it is written in. */
  logFields(): object;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

/**
 * Sends spans to `endpoint` as OTLP over HTTP in JSON; all else is set by the standard `OTEL_*`
 * variables.
 */
export function startTracing(options: {
  endpoint: string;
  serviceName: string;
  version: string;
}): Tracing {
  const sdk = new NodeSDK({
    serviceName: options.serviceName,
    traceExporter: new OTLPTraceExporter({
      url: `${options.endpoint.replace(/\/+$/, "")}/v1/traces`,
    }),
    // Else the SDK would send metrics and logs, too, which nobody writes to it.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: isOfOperators,
        requireParentforOutgoingSpans: true,
        redactedQueryParams: SECRET_PARAMETERS,
        redactedQueryParamsServer: SECRET_PARAMETERS,
      }),
      // The command alone: its arguments hold what people submitted.
      new IORedisInstrumentation({
        dbStatementSerializer: (command) => command,
        requireParentSpan: true,
      }),
    ],
  });
  sdk.start();
  const require = createRequire(import.meta.url);
  for (const name of ["node:http", "ioredis"]) require(name);
  return { tracer: createTracer(options.version), logFields, close: () => sdk.shutdown() };
}

const SECRET_PARAMETERS = [
  "sig",
  "token",
  "X-Amz-Signature",
  "X-Amz-Credential",
  "X-Amz-Security-Token",
];

/** What is asked every few seconds would bury the rest. */
function isOfOperators({ url = "" }: { url?: string | undefined }): boolean {
  return url.startsWith("/health/") || url.startsWith("/metrics");
}

function createTracer(version: string): Tracer {
  const tracer = trace.getTracer("photo-service", version);
  const start = <T>(
    name: string,
    options: SpanOptions,
    parent: Context,
    work: (span: Span) => Promise<T>,
  ) => tracer.startActiveSpan(name, options, parent, (span) => followed(span, () => work(span)));
  return {
    span: (name, attributes, work) => start(name, { attributes }, context.active(), work),
    resume: (carried, name, work) =>
      start(name, { kind: SpanKind.CONSUMER }, parentOf(carried), (span) =>
        work((attributes) => void span.setAttributes(attributes)),
      ),
    carry() {
      const here = trace.getActiveSpan()?.spanContext();
      return here && `00-${here.traceId}-${here.spanId}-0${here.traceFlags & 1}`;
    },
  };
}

async function followed<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The class alone: messages may quote what a client sent.
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.name : "error",
    });
    throw error;
  } finally {
    span.end();
  }
}

/** W3C's traceparent; anything else begins a trace of its own. */
function parentOf(carried: string | undefined): Context {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/.exec(carried ?? "") ?? [];
  if (!traceId || !spanId) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number(flags),
    isRemote: true,
  });
}

function logFields(): object {
  const here = trace.getActiveSpan()?.spanContext();
  return here ? { trace_id: here.traceId, span_id: here.spanId } : {};
}
