import { signal, type ReadonlySignal } from "@preact/signals";
import { type Client, createClient } from "graphql-ws/client";
import { resumable } from "../../../examples/resumable.js";
import { createCatchUpWatch, type CatchUp } from "./catch-up.js";
import type { Ask } from "../graphql-client.js";
import { createPlug } from "./plug.js";
import { EVENT_CURSOR, EVENTS } from "../operations.js";
import type { QueuedJobEvent } from "../types.js";

export type FeedState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** The connection was lost; the page reconnects. */
  | { kind: "away"; since: Date }
  /** The user cut the connection; the page reconnects at `until`. */
  | { kind: "unplugged"; since: Date; until: Date }
  /** The feed ended; the page does not reconnect. */
  | { kind: "ended"; why: string };

export interface LiveFeed {
  readonly state: ReadonlySignal<FeedState>;
  /** Outcome of the last reconnect. */
  readonly resumed: ReadonlySignal<CatchUp | null>;
  /** Delivers every event after the cursor. A second call replaces the first. */
  start(after: string): void;
  /** Drops the socket without a close frame, and reconnects after ten seconds. */
  unplug(): void;
  plugIn(): void;
  close(): void;
}

interface LiveFeedOptions {
  token: string;
  ask: Ask;
  onEvent(event: QueuedJobEvent): void;
  /** Called when the cursor is too old to resume from: read the list again and restart from it. */
  onExpired(): void;
  onSignedOut(why: string): void;
}

const UNPLUGGED_MS = 10_000;
const FORBIDDEN = 4403;

/** The user's events over one socket. After each reconnect the stream resumes from its cursor. */
export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const state = signal<FeedState>({ kind: "connecting" });
  const resumption = createResumption(options.ask);
  const plug = createPlug();
  let stop = () => {};

  const socket = createFeedSocket({
    token: options.token,
    retryWait: plug.nextTry,
    // The page may connect again, but the server may still be unreachable.
    onConnecting() {
      const { value } = state;
      if (value.kind === "unplugged") state.value = { kind: "away", since: value.since };
    },
    onConnected(again) {
      const { value } = state;
      state.value = { kind: "live" };
      if (again && "since" in value) resumption.connected(value.since);
    },
    onClosed({ code, reason }) {
      if (code === FORBIDDEN) options.onSignedOut(signedOutReason(reason));
      else if (state.value.kind === "live") state.value = { kind: "away", since: new Date() };
    },
  });

  function start(after: string): void {
    stop();
    resumption.startAt(after);
    stop = subscribeToEvents(socket.client, after, {
      onEvent(event) {
        options.onEvent(event);
        resumption.received(event);
      },
      onEnd(code, why) {
        if (code === "CURSOR_EXPIRED") options.onExpired();
        else state.value = { kind: "ended", why };
      },
    });
  }

  function unplug(): void {
    const now = Date.now();
    state.value = { kind: "unplugged", since: new Date(now), until: new Date(now + UNPLUGGED_MS) };
    resumption.last.value = null;
    plug.pull(UNPLUGGED_MS);
    socket.client.terminate();
  }

  function close(): void {
    stop();
    plug.push();
    socket.close();
  }

  return { state, resumed: resumption.last, start, unplug, plugIn: plug.push, close };
}

/** Measures the outcome of each reconnect. */
function createResumption(ask: Ask) {
  const last = signal<CatchUp | null>(null);
  const watch = createCatchUpWatch();
  const settle = (result: CatchUp | null): void => {
    if (result) last.value = result;
  };
  return {
    last,
    startAt: watch.startAt,
    connected(lostAt: Date): void {
      watch.resumed(Date.now() - lostAt.getTime());
      ask<{ queuedJobs: { eventCursor: string } }>(EVENT_CURSOR).then(
        ({ queuedJobs }) => settle(watch.target(queuedJobs.eventCursor)),
        () => {},
      );
    },
    received: (event: QueuedJobEvent): void => settle(watch.receive(event)),
  };
}

function subscribeToEvents(
  client: Client,
  after: string,
  {
    onEvent,
    onEnd,
  }: { onEvent(event: QueuedJobEvent): void; onEnd(code: string | undefined, why: string): void },
): () => void {
  function end(error: unknown): void {
    const [first] = Array.isArray(error)
      ? (error as { message: string; extensions?: { code?: string } }[])
      : [];
    onEnd(first?.extensions?.code, first?.message ?? closeReason(error));
  }
  return resumable(client).subscribe<{ queuedJobEvents: QueuedJobEvent }, unknown>(
    { query: EVENTS, variables: { after } },
    {
      next({ data, errors }) {
        if (errors) end(errors);
        else if (data) onEvent(data.queuedJobEvents);
      },
      error: end,
      complete: () => {},
    },
  );
}

function signedOutReason(reason: string | undefined): string {
  return reason && reason !== "Forbidden"
    ? reason
    : "The token has expired or is not valid any more. Sign in again.";
}

function closeReason(error: unknown): string {
  const { code, reason } = error as { code?: number; reason?: string };
  if (code === 4429) return "Too many tabs are open. Close some, then reload this one.";
  return `Disconnected${reason ? `: ${reason}` : ""}. Reload the page to continue.`;
}

interface FeedSocketOptions {
  token: string;
  retryWait(retries: number): Promise<void>;
  onConnecting(): void;
  /** `again` is false for the first connection. */
  onConnected(again: boolean): void;
  onClosed(event: { code?: number; reason?: string }): void;
}

const KEEP_ALIVE_MS = 15_000;
const PONG_TIMEOUT_MS = 5000;
const CONNECT_TIMEOUT_MS = 10_000;

/** A socket that reconnects until it is closed, and drops a connection that does not answer. */
function createFeedSocket(options: FeedSocketOptions): { client: Client; close(): void } {
  let timeout = 0;

  function expectAnswer(ms: number): void {
    clearTimeout(timeout);
    timeout = window.setTimeout(() => client.terminate(), ms);
  }

  const client: Client = createClient({
    url: `${location.origin.replace(/^http/, "ws")}/graphql`,
    connectionParams: () => ({ authorization: `Bearer ${options.token}` }),
    retryAttempts: Infinity,
    // The default gives up when the first attempt to connect fails.
    shouldRetry: () => true,
    retryWait: options.retryWait,
    keepAlive: KEEP_ALIVE_MS,
    on: {
      connecting() {
        options.onConnecting();
        expectAnswer(CONNECT_TIMEOUT_MS);
      },
      connected(_socket, _payload, again) {
        clearTimeout(timeout);
        options.onConnected(again);
      },
      closed(event) {
        clearTimeout(timeout);
        options.onClosed(event as { code?: number; reason?: string });
      },
      ping: (received) => void (received || expectAnswer(PONG_TIMEOUT_MS)),
      pong: () => clearTimeout(timeout),
    },
  });

  return {
    client,
    close() {
      clearTimeout(timeout);
      // The promise waits for a pending connection, which will not be made any more.
      Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}
