import type { UserEvent } from "../../../src/domain/photo-event.js";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { Subscription, DeliveredEvent } from "../../../src/events/subscription.js";
import { eventually } from "../runner/eventually.js";

export interface Received<E extends UserEvent = QueuedJobEvent> {
  events: DeliveredEvent<E>[];
  /** `<type> <number of the cursor>` of each. */
  readonly story: string[];
  /** "done", or the error that ended the stream; null while it is open. */
  end: "done" | Error | null;
  /** Resolves when `n` events have arrived. */
  count(n: number): Promise<void>;
  ended(): Promise<"done" | Error>;
}

/** Reads a stream as fast as possible, and keeps its events. */
export function received<E extends UserEvent>(subscription: Subscription<E>): Received<E> {
  const self: Received<E> = {
    events: [],
    get story() {
      return self.events.map(({ event, cursorSeq }) => `${event.type} ${cursorSeq}`);
    },
    end: null,
    count: async (n) =>
      void (await eventually(`${n} events have arrived`, () => self.events.length >= n).catch(
        (error: unknown) => {
          throw new Error(
            `${String(error)}; received ${JSON.stringify(self.story)}, end: ${String(self.end)}`,
          );
        },
      )),
    ended: () => eventually("the stream has ended", () => self.end),
  };
  void pull();
  return self;

  async function pull(): Promise<void> {
    try {
      for await (const event of subscription) self.events.push(event);
      self.end = "done";
    } catch (error) {
      self.end = error as Error;
    }
  }
}
