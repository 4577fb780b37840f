import { createClient, type Client } from "graphql-ws/client";
import { errorFrom, PhotoServiceError, UnreachableError, type SentError } from "../errors.js";
import { readToken, type Token } from "./token.js";

export interface Subscription {
  query: string;
  /** Changes while the subscription runs: `after` is the cursor of the last event. */
  variables: Record<string, unknown>;
  /** Called when events can arrive. */
  onOpen(): void;
  onData(data: unknown): void;
  signal: AbortSignal;
}

/** Runs a subscription over one connection. Rejects with a PhotoServiceError if that is lost. */
export type Subscribe = (subscription: Subscription) => Promise<void>;

export interface EventSocket {
  subscribe: Subscribe;
  /**
   * True if the last attempts to open a WebSocket failed before the server accepted it. The next
   * call is false, so that the caller alternates between WebSockets and the other transport.
   */
  isBlocked(): boolean;
  close(): void;
}

const KEEP_ALIVE_MS = 15_000;
const ANSWER_MS = 10_000;
/** An unused socket stays open for this time, for the next subscription. */
const IDLE_MS = 1000;
/** Number of failed attempts after which WebSockets count as blocked. */
const MAX_FAILURES = 2;

interface SocketOptions {
  url: string;
  token: Token;
  webSocket: unknown;
}

/** One WebSocket for all subscriptions; it opens with the first of them. */
export function createEventSocket({ url, token, webSocket }: SocketOptions): EventSocket {
  let isOpen = false;
  let isOpening = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const answered = (): void => clearTimeout(timer);
  /** A connection that does not answer is dropped. */
  function expectAnswer(): void {
    answered();
    timer = setTimeout(() => client.terminate(), ANSWER_MS);
  }
  function ended(): void {
    answered();
    if (isOpening) failures++;
    isOpen = isOpening = false;
  }

  const client: Client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: webSocket,
    connectionParams: async () => ({ authorization: `Bearer ${await readToken(token)}` }),
    // The caller reconnects, because it can also choose the other transport.
    retryAttempts: 0,
    keepAlive: KEEP_ALIVE_MS,
    lazyCloseTimeout: IDLE_MS,
    on: {
      connecting() {
        isOpening = true;
        expectAnswer();
      },
      opened() {
        isOpening = false;
        failures = 0;
      },
      connected() {
        answered();
        isOpen = true;
      },
      ping: (isReceived) => void (isReceived || expectAnswer()),
      pong: answered,
      error: ended,
      closed: ended,
    },
  });

  return {
    subscribe: (subscription) => subscribeOnce(client, () => isOpen, subscription),
    isBlocked() {
      const isBlocked = failures >= MAX_FAILURES;
      if (isBlocked) failures--;
      return isBlocked;
    },
    close() {
      answered();
      // It waits for a connection that is being opened, and rejects when that fails.
      Promise.resolve(client.dispose()).catch(() => {});
      if (!isOpen) client.terminate();
    },
  };
}

function subscribeOnce(
  client: Client,
  isOpen: () => boolean,
  { query, variables, onOpen, onData, signal }: Subscription,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const offConnected = client.on("connected", onOpen);
    const stop = client.subscribe<unknown>(
      { query, variables },
      {
        next({ data, errors }) {
          if (errors?.[0]) end(errorFrom(errors[0]));
          else onData(data);
        },
        error: (error) => end(reasonOf(error)),
        complete: () => end(null),
      },
    );
    function end(error: PhotoServiceError | null): void {
      offConnected();
      signal.removeEventListener("abort", abort);
      if (error) reject(error);
      else resolve();
      stop();
    }
    const abort = (): void => end(null);
    signal.addEventListener("abort", abort);
    if (isOpen()) onOpen();
  });
}

/** What the service means by the codes with which it closes a connection. */
const REFUSALS: Record<number, string> = { 4403: "UNAUTHENTICATED", 4429: "QUOTA_EXCEEDED" };

/** The library reports errors of the operation, events of the socket, and what was thrown. */
function reasonOf(error: unknown): PhotoServiceError {
  if (error instanceof PhotoServiceError) return error;
  if (Array.isArray(error)) return errorFrom((error as SentError[])[0] ?? {});
  const { code, reason } = error as { code: number; reason: string };
  const refusal = REFUSALS[code];
  return refusal ? errorFrom({ code: refusal, message: reason }) : new UnreachableError(error);
}
