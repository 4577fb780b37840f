import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import type { FeedRecorder } from "../feeds/feed-recorder.js";
import { checkOrder } from "./check-feed.js";
import type { Tables } from "./read-tables.js";
import type { Violations } from "./violations.js";

/** Compares the events of photos of one client with the log. Returns the number of events. */
export function checkPhotoFeed(
  { name, person, events, gaps }: FeedRecorder,
  { photoEvents, unreported }: Pick<Tables, "photoEvents" | "unreported">,
  violations: Violations,
): number {
  const seqOf = (cursor: string) => decodeStreamCursor(cursor, person.userId).seq;
  const numbered = events.map((event) => ({ ...event, seq: seqOf(event.cursor) }));
  checkOrder(name, numbered, violations);
  const isSkipped = (seq: number) =>
    gaps.some(({ from, to }) => seq > seqOf(from) && seq <= seqOf(to));
  const received = new Map(numbered.map(({ seq, type, jobId }) => [seq, `${type} of ${jobId}`]));
  for (const { userId, seq, type, jobId } of photoEvents) {
    if (userId !== person.userId || isSkipped(seq)) continue;
    const event = received.get(seq);
    if (event === undefined)
      violations.add("lost", `${name} did not receive event ${seq}, ${type} of ${jobId}`);
    else if (event !== `${type} of ${jobId}`)
      violations.add("other", `${name} received event ${seq} as ${event}, not ${type} of ${jobId}`);
  }
  for (const id of unreported) violations.add("lost", `no event shows the photo ${id} as it is`);
  return events.length;
}
