import { Counter, Histogram, type Registry } from "prom-client";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** Metrics of an API's endpoints. No label contains text that a client chose. */
export interface EdgeMetrics {
  /** `route` is the pattern, not the path. */
  onRequest(request: {
    method: string;
    route: string | null;
    status: number;
    seconds: number;
  }): void;
  /**
   * Records a resolved root field, over HTTP or a socket; for a subscription, the opening of its
   * stream.
   */
  onField(field: { type: string; name: string; failed: boolean; seconds: number }): void;
  /** Counts an error that was sent with this code. */
  onError(code: string): void;
  onSocketClosed(code: number): void;
  /** Counts a socket that was refused because too many were opening. */
  onSocketRefused(): void;
  /** Records the delay between an event's recording and its delivery to a subscriber. */
  onDelivered(lagSeconds: number): void;
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
/** Close codes of the protocol and of the service; a peer may send any number. */
const CLOSE_CODES = new Set([
  1000, 1001, 1005, 1006, 1009, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500,
]);

/** `onFault` is called when an internal error was sent to a client. */
export function createEdgeMetrics({ registry }: MetricsPage, onFault: () => void): EdgeMetrics {
  const { requests, fields, errors } = createRequestMetrics([registry]);
  const { closes, refused, lag } = createSocketMetrics([registry]);
  const { uploads, uploaded } = createUploadMetrics([registry]);
  return {
    onRequest({ method, route, status, seconds }) {
      requests.observe({ method, route: route ?? "none", status }, seconds);
      // Errors of GraphQL are counted by their code.
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
    // The clocks of the database and this process may differ.
    onDelivered: (seconds) => lag.observe(Math.max(0, seconds)),
    onUpload({ created, byteSize }) {
      uploads.inc({ outcome: created ? "created" : "known" });
      if (created) uploaded.inc(byteSize);
    },
  };
}

function createRequestMetrics(registers: Registry[]) {
  const requests = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: "Duration of HTTP requests until the response was sent",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers,
  });
  const fields = new Histogram({
    name: `${PREFIX}field_duration_seconds`,
    help: "Duration of root fields of GraphQL until they were resolved",
    labelNames: ["type", "field", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}graphql_errors_total`,
    help: "Errors sent by GraphQL",
    labelNames: ["code"],
    registers,
  });
  for (const code of CODES) errors.inc({ code }, 0);
  return { requests, fields, errors };
}

function createSocketMetrics(registers: Registry[]) {
  const closes = new Counter({
    name: `${PREFIX}socket_closes_total`,
    help: "Sockets closed by either side",
    labelNames: ["code"],
    registers,
  });
  const refused = new Counter({
    name: `${PREFIX}sockets_refused_total`,
    help: "Sockets refused because too many were opening",
    registers,
  });
  const lag = new Histogram({
    name: `${PREFIX}event_lag_seconds`,
    help: "Delay from an event's recording to its delivery to a subscriber, without replays",
    buckets: LAGS,
    registers,
  });
  for (const code of [...CLOSE_CODES, "other"]) closes.inc({ code }, 0);
  return { closes, refused, lag };
}

function createUploadMetrics(registers: Registry[]) {
  const uploads = new Counter({
    name: `${PREFIX}uploads_total`,
    help: "Accepted uploads",
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

/** Gauges of an API's current state. */
export function gaugeEdge(
  { registry }: MetricsPage,
  read: { subscribers(): number; sockets(): SocketGauges; previews(): number },
): void {
  gauge(registry, {
    name: "subscribers",
    help: "Open streams",
    collect() {
      this.set(read.subscribers());
    },
  });
  gauge(registry, {
    name: "sockets",
    help: "Open sockets",
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
    help: "Longest wait of a socket that is not open yet",
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
