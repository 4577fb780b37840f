import { signal, type ReadonlySignal } from "@preact/signals";
import { createClient, type Client } from "graphql-ws/client";
import { resumable } from "../../examples/resumable.js";
import { createCatchUpWatch, type CatchUp } from "./catch-up.js";
import type { Ask } from "./graphql-client.js";
import { EVENT_CURSOR, EVENTS } from "./operations.js";
import { createPlug } from "./plug.js";
import type { QueuedJobEvent } from "./types.js";

export type FeedState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** The connection was lost; it is being sought again. */
  | { kind: "away"; since: Date }
  /** Cut on purpose; it comes back by itself then. */
  | { kind: "unplugged"; since: Date; until: Date }
  /** It will not come back by itself. */
  | { kind: "ended"; why: string };

export interface LiveFeed {
  readonly state: ReadonlySignal<FeedState>;
  /** Of the last cut that was resumed from. */
  readonly resumed: ReadonlySignal<CatchUp | null>;
  /** Tells every event behind the cursor. Once more: from there instead. */
  start(after: string): void;
  /** Cuts the socket without a word to the server, and stays away for a while. */
  unplug(): void;
  plugIn(): void;
  close(): void;
}

export interface LiveFeedOptions {
  token: string;
  ask: Ask;
  onEvent(event: QueuedJobEvent): void;
  /** The cursor is too old to resume from: read the list again, and start behind it. */
  onExpired(): void;
  onSignedOut(why: string): void;
}

const UNPLUGGED_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const PONG_MS = 5000;
/** To an attempt to connect. */
const ANSWER_MS = 10_000;
const FORBIDDEN = 4403;

/** The person's events over one socket that is resumed by cursor, however often it is cut. */
export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const state = signal<FeedState>({ kind: "connecting" });
  const resumed = signal<CatchUp | null>(null);
  const watch = createCatchUpWatch();
  const plug = createPlug();
  let stop = () => {};
  let silence = 0;

  const client: Client = createClient({
    url: `${location.origin.replace(/^http/, "ws")}/graphql`,
    connectionParams: () => ({ authorization: `Bearer ${options.token}` }),
    retryAttempts: Infinity,
    // Its own choice is to give up at the first attempt to connect that fails.
    shouldRetry: () => true,
    retryWait: plug.nextTry,
    keepAlive: KEEP_ALIVE_MS,
    on: {
      connecting: () => {
        seek();
        expectAnswer(ANSWER_MS);
      },
      connected: (_socket, _payload, again) => back(again),
      closed: (event) => lost(event as { code?: number; reason?: string }),
      ping: (received) => void (received || expectAnswer(PONG_MS)),
      pong: () => clearTimeout(silence),
    },
  });

  /** The plug is in again, which does not mean that there is somebody at the other end. */
  function seek(): void {
    if (state.value.kind === "unplugged") state.value = { kind: "away", since: state.value.since };
  }

  /** Somebody who says nothing is as good as nobody. */
  function expectAnswer(ms: number): void {
    clearTimeout(silence);
    silence = window.setTimeout(() => client.terminate(), ms);
  }

  function back(again: boolean): void {
    clearTimeout(silence);
    const { value } = state;
    state.value = { kind: "live" };
    if (!again || !("since" in value)) return;
    watch.resumed(Date.now() - value.since.getTime());
    options.ask<{ queuedJobs: { eventCursor: string } }>(EVENT_CURSOR).then(
      ({ queuedJobs }) => settle(watch.target(queuedJobs.eventCursor)),
      () => {},
    );
  }

  function settle(result: CatchUp | null): void {
    if (result) resumed.value = result;
  }

  function lost({ code, reason }: { code?: number; reason?: string }): void {
    clearTimeout(silence);
    if (code === FORBIDDEN)
      options.onSignedOut(
        reason && reason !== "Forbidden"
          ? reason
          : "The token has expired, or does not hold any more.",
      );
    else if (state.value.kind === "live") state.value = { kind: "away", since: new Date() };
  }

  function end(error: unknown): void {
    const [first] = Array.isArray(error)
      ? (error as { message: string; extensions?: { code?: string } }[])
      : [];
    if (first?.extensions?.code === "CURSOR_EXPIRED") options.onExpired();
    else state.value = { kind: "ended", why: first?.message ?? closeReason(error) };
  }

  function start(after: string): void {
    stop();
    watch.startAt(after);
    stop = resumable(client).subscribe<{ queuedJobEvents: QueuedJobEvent }, unknown>(
      { query: EVENTS, variables: { after } },
      {
        next({ data, errors }) {
          if (errors) return end(errors);
          if (!data) return;
          options.onEvent(data.queuedJobEvents);
          settle(watch.told(data.queuedJobEvents));
        },
        error: end,
        complete: () => {},
      },
    );
  }

  function unplug(): void {
    state.value = {
      kind: "unplugged",
      since: new Date(),
      until: new Date(Date.now() + UNPLUGGED_MS),
    };
    resumed.value = null;
    plug.pull(UNPLUGGED_MS);
    client.terminate();
  }

  return {
    state,
    resumed,
    start,
    unplug,
    plugIn: plug.push,
    close() {
      clearTimeout(silence);
      stop();
      plug.push();
      // It waits for a connection that is being sought, and there is none any more to be had.
      Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}

function closeReason(error: unknown): string {
  const { code, reason } = error as { code?: number; reason?: string };
  if (code === 4429) return "Too many windows are open: close some, then reload this one.";
  return `The connection was ended${reason ? `: ${reason}` : ""}. Reload the page to go on.`;
}
