import { throwFirst, UnreachableError, type SentError } from "../errors.js";
import { repeat } from "./repeat.js";
import { withToken, type Token } from "./token.js";
import { withSignal, type Running } from "./with-signal.js";

/** The service, as every part of this package reaches it. */
export interface Connection {
  /** Without a slash at the end. */
  url: string;
  token: Token;
  /** Default of RequestOptions. */
  retryForMs: number;
  running: Running;
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds within which the request is repeated when the service cannot be reached or asks to
   * wait. 0 for a mutation that must not happen twice. Default: that of the client.
   */
  retryForMs?: number | undefined;
}

/**
 * For a mutation whose repetition after a lost answer would be refused, and for a request that its
 * caller repeats itself, so that a failure shows at once.
 */
export const ONCE: RequestOptions = { retryForMs: 0 };

/** Sends a GraphQL operation over HTTP. Returns its data, or throws a PhotoServiceError. */
export type Query = <Data>(
  document: string,
  variables?: object,
  options?: RequestOptions,
) => Promise<Data>;

interface Operation {
  query: string;
  variables: object;
}

/** A request without an answer after this time counts as lost. */
const TIMEOUT_MS = 30_000;

export function createQuery({ url, token, retryForMs, running }: Connection): Query {
  return <Data>(document: string, variables: object = {}, options: RequestOptions = {}) => {
    const body = { query: document, variables };
    const sendOnce = (current: string, signal: AbortSignal) =>
      withSignal(signal, (one) => post<Data>(`${url}/graphql`, current, body, one), {
        timeoutMs: TIMEOUT_MS,
      });
    return withSignal(
      options.signal,
      (signal) =>
        repeat(() => withToken(token, (current) => sendOnce(current, signal)), {
          retryForMs: options.retryForMs ?? retryForMs,
          signal,
        }),
      { running },
    );
  };
}

/** Sends an operation, for an answer as JSON or as a stream. */
export function send(
  url: string,
  { token, body, signal }: { token: string; body: Operation; signal: AbortSignal },
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      accept: "text/event-stream, application/json",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ query: body.query, variables: body.variables }),
    signal,
  });
}

async function post<Data>(
  url: string,
  token: string,
  body: Operation,
  signal: AbortSignal,
): Promise<Data> {
  try {
    const response = await send(url, { token, body, signal });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: SentError[] };
    throwFirst(errors, response.headers.get("x-request-id"));
    return data as Data;
  } catch (error) {
    throw reasonOf(error, signal);
  }
}

/** The error for the caller of a failed `fetch`. */
export function reasonOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  // A broken connection is a TypeError, and a proxy's page instead of JSON is a SyntaxError.
  return error instanceof TypeError || error instanceof SyntaxError
    ? new UnreachableError(error)
    : error;
}
