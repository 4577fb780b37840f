// Loaded only when OTEL_EXPORTER_OTLP_ENDPOINT is set. The instrumentations patch prototypes, so
// the servers' modules may be imported before.
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
  /** Returns the log fields that identify the current span. */
  logFields(): object;
  /** Sends the remaining spans. */
  close(): Promise<void>;
}

/**
 * Sends spans to `endpoint` as OTLP over HTTP in JSON. The standard `OTEL_*` variables set
 * everything else.
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
    // Without these the SDK would also send metrics and logs, which the service does not use.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: isMonitoring,
        requireParentforOutgoingSpans: true,
        redactedQueryParams: SECRET_PARAMETERS,
        redactedQueryParamsServer: SECRET_PARAMETERS,
      }),
      // Only the command is recorded: its arguments contain submitted data.
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

/** Requests that arrive every few seconds would hide the rest. */
function isMonitoring({ url = "" }: { url?: string | undefined }): boolean {
  return url.startsWith("/health/") || url.startsWith("/metrics");
}

function createTracer(version: string): Tracer {
  const tracer = trace.getTracer("photo-service", version);
  const start = <T>(
    name: string,
    options: SpanOptions,
    parent: Context,
    work: (span: Span) => Promise<T>,
  ) => tracer.startActiveSpan(name, options, parent, (span) => endAfter(span, () => work(span)));
  return {
    span: (name, attributes, work) => start(name, { attributes }, context.active(), work),
    resume: (carried, name, work) =>
      start(name, { kind: SpanKind.CONSUMER }, parentOf(carried), (span) =>
        work((attributes) => void span.setAttributes(attributes)),
      ),
    carry() {
      const span = trace.getActiveSpan()?.spanContext();
      return span && `00-${span.traceId}-${span.spanId}-0${span.traceFlags & 1}`;
    },
  };
}

async function endAfter<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Only the class is recorded: messages may quote what a client sent.
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.name : "error",
    });
    throw error;
  } finally {
    span.end();
  }
}

/** Parses a W3C traceparent; anything else begins a new trace. */
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
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
