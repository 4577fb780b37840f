import { signal, type ReadonlySignal } from "@preact/signals";
import {
  CursorExpiredError,
  QuotaExceededError,
  UnauthenticatedError,
  type Follow,
  type PhotoServiceError,
  type Query,
} from "../../../client/src/index.js";
import { messageOf } from "../in-words.js";
import { EVENT_CURSOR, EVENTS, PHOTO_EVENTS } from "../operations.js";
import type { PhotoEvent, QueuedJobEvent } from "../types.js";
import { createCatchUpWatch, type CatchUp } from "./catch-up.js";

export type FeedState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** The connection was lost; the page reconnects. */
  | { kind: "away"; since: Date }
  /** The user stopped the stream; it goes on at `until`. */
  | { kind: "unplugged"; since: Date; until: Date }
  /** The service refuses the stream. */
  | { kind: "refused"; why: string };

export interface LiveFeed {
  readonly state: ReadonlySignal<FeedState>;
  /** Outcome of the last reconnect. */
  readonly resumed: ReadonlySignal<CatchUp | null>;
  /** Delivers every event after the cursor. */
  start(after: string): void;
  /** Stops the stream, and continues it after ten seconds. */
  unplug(): void;
  plugIn(): void;
  close(): void;
}

interface LiveFeedOptions {
  follow: Follow;
  ask: Query;
  onEvent(event: QueuedJobEvent): void;
  onPhotoEvent(event: PhotoEvent): void;
  /** Reads the lists again, because the cursor is too old; returns the new cursor. */
  onExpired(): Promise<string>;
  onSignedOut(why: string): void;
}

const UNPLUGGED_MS = 10_000;
const SIGNED_OUT = "The token has expired or is not valid any more. Sign in again.";
const TOO_MANY = "Too many requests or open tabs. Close some tabs, or wait.";

/** The events of the user's jobs and photos. After each lost connection the stream resumes from its cursor. */
export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const state = signal<FeedState>({ kind: "connecting" });
  const resumption = createResumption(options.ask);
  const streams = createStreams(options, {
    onState: show,
    onEnd: end,
    onReceived: resumption.received,
  });
  let timer = 0;

  function start(after: string): void {
    resumption.startAt(after);
    streams.start(after);
  }

  function show(error: PhotoServiceError | null): void {
    const { value } = state;
    state.value = stateAfter(error, value);
    if (!error && "since" in value) resumption.connected(value.since);
  }

  function end(reason: unknown): void {
    streams.stop();
    if (reason instanceof CursorExpiredError) options.onExpired().then(start, end);
    else if (reason instanceof UnauthenticatedError) options.onSignedOut(SIGNED_OUT);
    else state.value = { kind: "refused", why: `${messageOf(reason)} Reload the page.` };
  }

  function stop(): void {
    clearTimeout(timer);
    streams.stop();
  }

  function unplug(): void {
    stop();
    const since = new Date();
    state.value = { kind: "unplugged", since, until: new Date(since.getTime() + UNPLUGGED_MS) };
    resumption.last.value = null;
    timer = window.setTimeout(plugIn, UNPLUGGED_MS);
  }

  function plugIn(): void {
    stop();
    const { value } = state;
    if ("since" in value) state.value = { kind: "away", since: value.since };
    streams.follow();
  }

  return { state, resumed: resumption.last, start, unplug, plugIn, close: stop };
}

/** The streams of jobs and of photos; each goes on behind the last event that it delivered. */
function createStreams(
  options: Pick<LiveFeedOptions, "follow" | "onEvent" | "onPhotoEvent">,
  listener: {
    onState(error: PhotoServiceError | null): void;
    onEnd(error: unknown): void;
    onReceived(event: QueuedJobEvent | PhotoEvent): void;
  },
) {
  // Both streams have one numbering.
  let cursors = { jobs: "", photos: "" };
  let following = new AbortController();

  function follow(): void {
    following = new AbortController();
    const { signal: stopped } = following;
    const ended = (error: unknown): void => void (stopped.aborted || listener.onEnd(error));
    const onEvent = (event: QueuedJobEvent): void => {
      cursors.jobs = event.cursor;
      options.onEvent(event);
      listener.onReceived(event);
    };
    const onPhotoEvent = (event: PhotoEvent): void => {
      cursors.photos = event.cursor;
      options.onPhotoEvent(event);
      listener.onReceived(event);
    };
    const jobs = { after: cursors.jobs, onEvent, onState: listener.onState, signal: stopped };
    options.follow<QueuedJobEvent>(EVENTS, jobs).catch(ended);
    const photos = { after: cursors.photos, onEvent: onPhotoEvent, signal: stopped };
    options.follow<PhotoEvent>(PHOTO_EVENTS, photos).catch(ended);
  }

  return {
    follow,
    start(after: string): void {
      cursors = { jobs: after, photos: after };
      follow();
    },
    stop: () => following.abort(),
  };
}

function stateAfter(error: PhotoServiceError | null, state: FeedState): FeedState {
  if (!error) return { kind: "live" };
  if (error instanceof QuotaExceededError) return { kind: "refused", why: TOO_MANY };
  return state.kind === "live" ? { kind: "away", since: new Date() } : state;
}

/** Measures the outcome of each reconnect. */
function createResumption(ask: Query) {
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
    received: (event: QueuedJobEvent | PhotoEvent): void => settle(watch.receive(event)),
  };
}
