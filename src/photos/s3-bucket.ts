import { AwsV4Signer } from "aws4fetch";
import type { ReadableStream } from "node:stream/web";
import { setTimeout as pause } from "node:timers/promises";
import { storageUnavailable, type ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";

export interface S3BucketOptions {
  bucket: string;
  region: string;
  /** URL of a server other than Amazon's; the bucket is then a part of the path. */
  endpoint: string | null;
  accessKeyId: string;
  secretAccessKey: string;
  /** Timeout for a response, plus one second per mebibyte sent; default 10,000. */
  timeoutMs?: number;
  log: Logger;
}

export interface S3Request {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Null for the bucket itself. */
  key: string | null;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Blob;
  /** Timeout for the response; default: that of the bucket. */
  timeoutMs?: number;
}

export interface S3Bucket {
  /** Returns the path of a key for `x-amz-copy-source`. */
  pathOf(key: string): string;
  /**
   * Returns the whole response as text; null if the key does not exist. Throws
   * ServiceUnavailableError.
   */
  ask(request: S3Request): Promise<string | null>;
  /** Stores a part of an upload, and returns its ETag. Throws ServiceUnavailableError. */
  putPart(request: Omit<S3Request, "method">): Promise<string>;
  /**
   * Returns the response body as a stream; null if the key does not exist. The reader must set a
   * time limit. Throws ServiceUnavailableError.
   */
  open(request: S3Request): Promise<ReadableStream | null>;
  /** Returns a public URL for a GET, valid from `at` for `seconds`. */
  presign(
    key: string,
    query: Record<string, string>,
    life: { at: Date; seconds: number },
  ): Promise<string>;
}

/**
 * The outcome of an attempt: its response, null if the key does not exist, or a fault. `again` is
 * true if another try may succeed.
 */
type Outcome = { answer: Response | null } | { fault: Error; again: boolean; refused: boolean };

const TRIES = 3;
const PAUSE_MS = 100;
const TIMEOUT_MS = 10_000;
const MS_PER_BYTE = 1000 / 1024 ** 2;

/**
 * Sends signed requests to one bucket (AWS Signature Version 4). Each has a time limit and is tried
 * up to three times, because all are idempotent.
 */
export function createS3Bucket(options: S3BucketOptions): S3Bucket {
  const { log, timeoutMs = TIMEOUT_MS } = options;
  const signer = createSigner(options);

  async function attempt(request: S3Request, signal: AbortSignal): Promise<Response> {
    const { method, body } = request;
    const { url, headers } = await signer.sign(request);
    return fetch(url, { method, headers, signal, ...(body && { body }) });
  }

  async function send(request: S3Request, signal: AbortSignal): Promise<Response | null> {
    for (let tries = 1; ; tries++) {
      const outcome = await attempt(request, signal).then(judge, judgeFailure);
      if ("answer" in outcome) return outcome.answer;
      if (!outcome.again || tries === TRIES) throw report(log, request, outcome);
      await pause(PAUSE_MS * 2 ** tries * Math.random());
    }
  }

  async function ask(request: S3Request): Promise<{ text: string; etag: string | null } | null> {
    const bodyMs = Math.ceil((request.body?.size ?? 0) * MS_PER_BYTE);
    const signal = AbortSignal.timeout((request.timeoutMs ?? timeoutMs) + bodyMs);
    const answer = await send(request, signal);
    if (!answer) return null;
    const text = await answer
      .text()
      .catch((cause: unknown) => Promise.reject(storageUnavailable(cause)));
    return { text, etag: answer.headers.get("etag") };
  }

  return {
    pathOf: (key) => `/${options.bucket}/${encodeKey(key)}`,
    ask: async (request) => (await ask(request))?.text ?? null,
    async putPart(request) {
      const answer = await ask({ ...request, method: "PUT" });
      if (!answer?.etag)
        throw storageUnavailable(new Error("The storage accepted a part without an ETag"));
      return answer.etag;
    },
    async open(request) {
      const stop = new AbortController();
      const timer = setTimeout(
        () => stop.abort(new Error("The storage did not answer in time")),
        timeoutMs,
      );
      try {
        const answer = await send(request, stop.signal);
        return answer && (answer.body ?? new Blob([]).stream());
      } finally {
        clearTimeout(timer);
      }
    },
    presign: signer.presign,
  };
}

interface Signer {
  sign(request: S3Request): Promise<{ url: URL; headers: Headers }>;
  presign: S3Bucket["presign"];
}

function createSigner(options: S3BucketOptions): Signer {
  const { accessKeyId, secretAccessKey, region } = options;
  const credentials = {
    accessKeyId,
    secretAccessKey,
    region,
    service: "s3",
    cache: new Map<string, ArrayBuffer>(),
  };
  const base = baseUrl(options);

  function urlOf(key: string | null, query: Record<string, string> = {}): string {
    const url = new URL(key === null ? base : `${base}/${encodeKey(key)}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.href;
  }

  return {
    sign({ method, key, query, headers }) {
      const signer = new AwsV4Signer({
        ...credentials,
        method,
        url: urlOf(key, query),
        headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      });
      return signer.sign();
    },
    async presign(key, query, { at, seconds }) {
      const url = urlOf(key, { ...query, "X-Amz-Expires": String(seconds) });
      const datetime = at.toISOString().replace(/[:-]|\.\d{3}/g, "");
      const signed = await new AwsV4Signer({
        ...credentials,
        method: "GET",
        url,
        datetime,
        signQuery: true,
      }).sign();
      return signed.url.href;
    },
  };
}

/**
 * A refusal is a fault of the configuration, so a person must act: it is an error. An outage is a
 * warning.
 */
function report(
  log: Logger,
  { method, key }: S3Request,
  { fault, refused }: { fault: Error; refused: boolean },
): ServiceUnavailableError {
  log[refused ? "error" : "warn"](
    { err: fault, method, key },
    refused ? "the storage refused a request" : "the storage is unavailable",
  );
  return storageUnavailable(fault);
}

/** Amazon's certificate does not cover a host name for a bucket with a dot. */
function baseUrl({ bucket, region, endpoint }: S3BucketOptions): string {
  if (endpoint !== null) return `${endpoint.replace(/\/+$/, "")}/${bucket}`;
  return bucket.includes(".")
    ? `https://s3.${region}.amazonaws.com/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`;
}

function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

async function judge(answer: Response): Promise<Outcome> {
  if (answer.ok) return { answer };
  // Reading the body frees the connection.
  const code = (await answer.text().catch(() => "")).match(/<Code>([^<]*)/)?.[1] ?? "";
  if (answer.status === 404 && code !== "NoSuchBucket") return { answer: null };
  const again = answer.status >= 500 || answer.status === 429;
  return {
    fault: new Error(`The storage answered ${answer.status} ${code}`.trim()),
    again,
    refused: !again,
  };
}

/** Retries a connection that failed or broke. A request that timed out is not retried. */
function judgeFailure(cause: unknown): Outcome {
  return {
    fault: cause instanceof Error ? cause : new Error(String(cause)),
    again: cause instanceof TypeError,
    refused: false,
  };
}
