// The one implementation of resuming: each connection continues behind the last event that arrived,
// so every logged event is delivered once and in order, whichever transport carries it.
import {
  type PhotoServiceError,
  InternalServerError,
  isPassing,
  TokenError,
  UnauthenticatedError,
} from "../errors.js";
import { createEventSocket } from "./event-socket.js";
import { createEventStream } from "./event-stream.js";
import { backOff, pause } from "./repeat.js";
import type { Connection } from "./requests.js";
import { withSignal } from "./with-signal.js";

export interface FollowOptions<Event> {
  /** The cursor behind which the stream starts; without it, see the API's `queuedJobEvents`. */
  after: string | null;
  /** Only the events of this QueuedJob; the stream then ends after its terminal event. */
  queuedJobId?: string;
  /** Variables of a document that needs others; they come first. */
  variables?: object | undefined;
  /** `data` is the whole answer. */
  onEvent(event: Event, data: unknown): void;
  /** Called with null when events can arrive, and with the reason when they cannot. */
  onState?(error: PhotoServiceError | null): void;
  signal: AbortSignal;
}

/**
 * Delivers the events of a subscription to `queuedJobEvents` that selects their `cursor`, until the
 * stream ends, as that of a QueuedJob does, or the signal is aborted. It reconnects as long as that
 * can help, and rejects with any other error, such as CURSOR_EXPIRED.
 */
export type Follow = <Event extends { cursor: string }>(
  document: string,
  options: FollowOptions<Event>,
) => Promise<void>;

export interface Events {
  follow: Follow;
  /** True if a live part should try again after this error. */
  isWorthWaiting(error: unknown): error is PhotoServiceError;
  close(): void;
}

/** A connection that lasted this long does not count as failed when it is lost. */
const STEADY_MS = 5000;

export function createEvents(connection: Connection, webSocket: unknown): Events {
  const { token, running } = connection;
  const socket =
    typeof webSocket === "function" ? createEventSocket({ ...connection, webSocket }) : null;
  const subscribeByStream = createEventStream(connection);

  /** WebSockets first; event streams where these are blocked, as by a proxy without upgrades. */
  const transport = () => (socket && !socket.isBlocked() ? socket.subscribe : subscribeByStream);

  const isWorthWaiting = (error: unknown): error is PhotoServiceError =>
    canPass(error) || (error instanceof UnauthenticatedError && typeof token === "function");

  async function resume<Event extends { cursor: string }>(
    query: string,
    { after, queuedJobId, onEvent, variables: others, onState = () => {} }: FollowOptions<Event>,
    signal: AbortSignal,
  ): Promise<void> {
    const variables: Record<string, unknown> = { after, queuedJobId, ...others };
    let failures = 0;
    while (!signal.aborted) {
      let openedAt = Infinity;
      try {
        return await transport()({
          query,
          variables,
          signal,
          onOpen() {
            openedAt = Date.now();
            onState(null);
          },
          onData(data) {
            if (signal.aborted) return;
            const [event] = Object.values(data as object) as [Event];
            variables["after"] = event.cursor;
            deliver(() => onEvent(event, data));
          },
        });
      } catch (error) {
        if (signal.aborted) return;
        if (!isWorthWaiting(error)) throw error;
        onState(error);
        if (Date.now() - openedAt > STEADY_MS) failures = 0;
        await pause(error.retryAfterMs ?? backOff(failures++), signal);
      }
    }
  }

  return {
    async follow(document, options) {
      await withSignal(options.signal, (signal) => resume(document, options, signal), { running });
      if (running.closedBy) throw running.closedBy;
    },
    isWorthWaiting,
    close: () => socket?.close(),
  };
}

/** Also for errors that a call throws at once. A refused token passes if a function gives it. */
function canPass(error: unknown): boolean {
  return isPassing(error) || error instanceof InternalServerError || error instanceof TokenError;
}

/** An error that a listener throws must not end the connection: it surfaces as uncaught. */
function deliver(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
