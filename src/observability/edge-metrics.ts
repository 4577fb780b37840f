import { Counter, Histogram, type Registry } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** What an API tells of its doors. No label holds what a client chose. */
export interface EdgeMetrics {
  /** `route` is the pattern, not the path. */
  onRequest(request: {
    method: string;
    route: string | null;
    status: number;
    seconds: number;
  }): void;
  /**
   * A field of Query, Mutation or Subscription was resolved, whichever door it came through; of a
   * subscription, the stream was opened.
   */
  onField(field: { type: string; name: string; failed: boolean; seconds: number }): void;
  /** An error left with this code. */
  onError(code: string): void;
  onSocketClosed(code: number): void;
  /** A socket could not open, since too many were opening. */
  onSocketRefused(): void;
  /** A subscriber was told a logged event, so long after it was recorded. */
  onTold(lagSeconds: number): void;
  onUpload(upload: { created: boolean; byteSize: number }): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LAGS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60];
const CODES = [
  "BAD_REQUEST",
  "BAD_USER_INPUT",
  "CONFLICT",
  "CURSOR_EXPIRED",
  "FORBIDDEN",
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "IDEMPOTENCY_CONFLICT",
  "INTERNAL_SERVER_ERROR",
  "NOT_FOUND",
  "QUOTA_EXCEEDED",
  "SERVICE_UNAVAILABLE",
  "UNAUTHENTICATED",
];
/** Of the protocol, and ours; a peer may send any number. */
const CLOSE_CODES = new Set([
  1000, 1001, 1005, 1006, 1009, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500,
]);

/** `onFault`: an answer left that hides a bug. */
export function createEdgeMetrics({ registry }: MetricsPage, onFault: () => void): EdgeMetrics {
  const { requests, fields, errors } = createRequestMetrics([registry]);
  const { closes, refused, lag } = createSocketMetrics([registry]);
  const { uploads, uploaded } = createUploadMetrics([registry]);
  return {
    onRequest({ method, route, status, seconds }) {
      requests.observe({ method, route: route ?? "none", status }, seconds);
      // GraphQL's own are told by their code.
      if (status === 500 && !route?.startsWith("/graphql")) onFault();
    },
    onField: ({ type, name, failed, seconds }) =>
      fields.observe({ type, field: name, outcome: failed ? "failed" : "ok" }, seconds),
    onError(code) {
      errors.inc({ code });
      if (code === "INTERNAL_SERVER_ERROR") onFault();
    },
    onSocketClosed: (code) => closes.inc({ code: CLOSE_CODES.has(code) ? String(code) : "other" }),
    onSocketRefused: () => refused.inc(),
    // The clocks are two: the database's and ours.
    onTold: (seconds) => lag.observe(Math.max(0, seconds)),
    onUpload({ created, byteSize }) {
      uploads.inc({ outcome: created ? "created" : "known" });
      if (created) uploaded.inc(byteSize);
    },
  };
}

function createRequestMetrics(registers: Registry[]) {
  const requests = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: "HTTP requests until the answer was sent",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers,
  });
  const fields = new Histogram({
    name: `${PREFIX}field_duration_seconds`,
    help: "Root fields of GraphQL until they were resolved",
    labelNames: ["type", "field", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}graphql_errors_total`,
    help: "Errors that left through GraphQL",
    labelNames: ["code"],
    registers,
  });
  for (const code of CODES) errors.inc({ code }, 0);
  return { requests, fields, errors };
}

function createSocketMetrics(registers: Registry[]) {
  const closes = new Counter({
    name: `${PREFIX}socket_closes_total`,
    help: "Sockets that were closed, by either side",
    labelNames: ["code"],
    registers,
  });
  const refused = new Counter({
    name: `${PREFIX}sockets_refused_total`,
    help: "Sockets that could not open, since too many were opening",
    registers,
  });
  const lag = new Histogram({
    name: `${PREFIX}event_lag_seconds`,
    help: "From the recording of an event until a subscriber was told it, replays apart",
    buckets: LAGS,
    registers,
  });
  for (const code of [...CLOSE_CODES, "other"]) closes.inc({ code }, 0);
  return { closes, refused, lag };
}

function createUploadMetrics(registers: Registry[]) {
  const uploads = new Counter({
    name: `${PREFIX}uploads_total`,
    help: "Uploads that were taken",
    labelNames: ["outcome"],
    registers,
  });
  const uploaded = new Counter({
    name: `${PREFIX}uploaded_bytes_total`,
    help: "Bytes of new photos",
    registers,
  });
  for (const outcome of ["created", "known"]) uploads.inc({ outcome }, 0);
  return { uploads, uploaded };
}

export interface SocketGauges {
  count: number;
  opening: number;
  longestWaitSeconds: number;
}

/** What an API holds now. */
export function gaugeEdge(
  { registry }: MetricsPage,
  read: { subscribers(): number; sockets(): SocketGauges; previews(): number },
): void {
  gauge(registry, {
    name: "subscribers",
    help: "Streams that are open",
    collect() {
      this.set(read.subscribers());
    },
  });
  gauge(registry, {
    name: "sockets",
    help: "Sockets that are open",
    collect() {
      this.set(read.sockets().count);
    },
  });
  gauge(registry, {
    name: "sockets_opening",
    help: "Sockets that have not signed in yet",
    collect() {
      this.set(read.sockets().opening);
    },
  });
  gauge(registry, {
    name: "sockets_longest_wait_seconds",
    help: "How long the socket that waits longest to open has waited",
    collect() {
      this.set(read.sockets().longestWaitSeconds);
    },
  });
  gauge(registry, {
    name: "previews_waiting",
    help: "Previews that wait for the child process of this API",
    collect() {
      this.set(read.previews());
    },
  });
}
