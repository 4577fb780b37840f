import type { Subscription, ToldEvent } from "../../../src/events/subscription.js";
import { eventually } from "../runner/eventually.js";

export interface Told {
  events: ToldEvent[];
  /** `<type> <number of the cursor>` of each. */
  readonly story: string[];
  /** How the stream ended: by itself, or by an error; null while it has not. */
  end: "done" | Error | null;
  /** Resolves when so many were told. */
  count(n: number): Promise<void>;
  ended(): Promise<"done" | Error>;
}

/** Pulls a stream as fast as it gives, and keeps what it told. */
export function told(subscription: Subscription): Told {
  const self: Told = {
    events: [],
    get story() {
      return self.events.map(({ event, cursorSeq }) => `${event.type} ${cursorSeq}`);
    },
    end: null,
    count: async (n) =>
      void (await eventually(`${n} events are told`, () => self.events.length >= n).catch(
        (error: unknown) => {
          throw new Error(
            `${String(error)}; it told ${JSON.stringify(self.story)}, its end: ${String(self.end)}`,
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
