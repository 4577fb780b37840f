// One request to the receiver. The status decides; the body is only shown to operators.
import { isStorable } from "../../domain/is-storable.js";

/** Reasons why an attempt failed, as metrics and operators see them. */
export const FAILURES = [
  "http_3xx",
  "http_4xx",
  "http_5xx",
  "gone",
  "throttled",
  "timeout",
  "dns",
  "tls",
  "connection",
] as const;
export type Failure = (typeof FAILURES)[number];

export interface Answer {
  /** Null when the webhook was delivered. */
  failure: Failure | null;
  /** Null when there was no answer. */
  status: number | null;
  /** Start of the body, or the fault of the connection. */
  body: string;
  /** Time for which the receiver wants no requests; null if it set none. */
  retryAfterMs: number | null;
}

export interface WebhookRequests {
  /** Never rejects, except when the signal is aborted. */
  send(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer>;
}

const TIMEOUT_MS = 10_000;
/** Time for the body after the status, so that a slow one does not delay the next webhook. */
const BODY_MS = 1000;
const MAX_BODY_BYTES = 64 * 1024;
/** Characters of the body that are kept for operators. */
const KEPT_CHARACTERS = 1000;
const MAX_RETRY_AFTER_MS = 3_600_000;

export function createWebhookRequests(options: {
  url: string;
  userAgent: string;
  timeoutMs?: number;
}): WebhookRequests {
  const { url, userAgent, timeoutMs = TIMEOUT_MS } = options;
  return {
    async send(body, headers, signal) {
      const limit = limitTime(signal, timeoutMs);
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", "user-agent": userAgent, ...headers },
          body,
          redirect: "manual",
          signal: limit.signal,
        });
        return answerOf(response, await readStart(response));
      } catch (error) {
        signal.throwIfAborted();
        const [failure, text] = limit.signal.aborted
          ? (["timeout", `no answer within ${timeoutMs / 1000} s`] as const)
          : describeFault(error);
        return { failure, status: null, body: text, retryAfterMs: null };
      } finally {
        limit.end();
      }
    },
  };
}

/** `AbortSignal.any` would stay in the memory of a signal that lives as long as the process. */
function limitTime(signal: AbortSignal, ms: number): { signal: AbortSignal; end(): void } {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, ms);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return {
    signal: limit.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    },
  };
}

function answerOf({ status, headers }: Response, body: string): Answer {
  const failure = failureOf(status);
  const mayHold = status === 429 || status === 503;
  const retryAfterMs = mayHold ? parseRetryAfter(headers.get("retry-after")) : null;
  return { failure, status, body, retryAfterMs };
}

function failureOf(status: number): Failure | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) return "gone";
  if (status === 429) return "throttled";
  if (status < 400) return "http_3xx";
  return status < 500 ? "http_4xx" : "http_5xx";
}

/** Accepts seconds or a date, as HTTP defines it. */
export function parseRetryAfter(text: string | null, now = Date.now()): number | null {
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : null;
}

/** Reads at most 64 KiB within a second. A connection with more is closed. */
async function readStart({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), BODY_MS);
  try {
    while (length < MAX_BODY_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
    }
  } catch {
    // The status has decided already.
  } finally {
    clearTimeout(timer);
    void reader.cancel().catch(() => {});
  }
  return storable(new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES)));
}

function storable(text: string): string {
  const start = text.slice(0, KEPT_CHARACTERS).toWellFormed();
  return isStorable(start) ? start : start.replaceAll("\0", "�");
}

/** Classifies a failed connection. The message contains neither the URL nor a secret. */
function describeFault(error: unknown): [Failure, string] {
  const code = codeOf(error);
  return [failureOfCode(code), code];
}

function failureOfCode(code: string): Failure {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "dns";
  if (code.includes("TIMEOUT") || code === "ETIMEDOUT") return "timeout";
  return /CERT|SIGNATURE|SSL|TLS|EPROTO/.test(code) ? "tls" : "connection";
}

function codeOf(error: unknown): string {
  for (let link = error; typeof link === "object" && link !== null;) {
    if ("code" in link && typeof link.code === "string") return link.code;
    link = "cause" in link ? link.cause : null;
  }
  return "the connection failed";
}
