import type { Mutant } from "../mutant.js";

const RING = ["events/ring.test"];
const FEED = ["events/feed.test"];
const LOG = ["services/event-log.test"];
const HISTORY = ["events/feed/history.test"];
const START = ["events/feed/start.test"];
const STREAM = ["server/socket-stream.test"];

/** From what is recorded to what a subscriber is told. */
export const MUTANTS: Mutant[] = [
  { core: true, breaks: "the event of a cursor is told again", file: "src/services/event-log.ts", find: "e.seq > ${seq}", replace: "e.seq >= ${seq}", tests: LOG },
  { core: true, breaks: "the log is read from its end", file: "src/services/event-log.ts", find: "order by e.seq limit", replace: "order by e.seq desc limit", tests: LOG },
  { core: true, breaks: "a start reads before it listens", file: "src/events/feed.ts", find: "await listener.ready;", replace: "", tests: FEED },
  { core: true, breaks: "the watchdog does not look", file: "src/events/feed.ts", find: "if (head > listener.channel.head) listener", replace: "if (head < listener.channel.head) listener", tests: FEED },
  { core: true, breaks: "streams of another history go on", file: "src/events/feed.ts", find: "listener.epoch !== epoch || head < listener.head", replace: "head < listener.head", tests: HISTORY },
  { breaks: "streams go on where a counter fell", file: "src/events/feed.ts", find: "listener.epoch !== epoch || head < listener.head", replace: "listener.epoch !== epoch", tests: HISTORY },
  { breaks: "a stream that is opened after a change of history gets what was heard before", file: "src/events/feed.ts", find: "Object.assign(listener, { epoch, channel: openChannel(userId) })", replace: "Object.assign(listener, { epoch })", tests: HISTORY },
  { breaks: "a stream of another history falls silent", file: "src/events/subscription.ts", find: "if (channel.expired) close(historyChanged());", replace: "", tests: HISTORY },
  { breaks: "the epoch is read once in the life of a process", file: "src/services/event-log.ts", find: "epoch = createHash", replace: "epoch ??= createHash", tests: HISTORY },
  { breaks: "an API without streams keeps the epoch of its start", file: "src/events/feed.ts", find: "i === 0 || i < userIds.length", replace: "i < userIds.length", tests: HISTORY },
  { breaks: "a change of history wakes nobody", file: "src/events/channel.ts", find: "state.expired = true;\n      wake();", replace: "state.expired = true;", tests: HISTORY },
  { core: true, breaks: "a cursor of another history is resumed", file: "src/events/find-start.ts", find: "if (after.epoch !== epoch) throw expired();", replace: "", tests: START },
  { core: true, breaks: "a cursor behind which something was purged is resumed", file: "src/events/find-start.ts", find: "if (seq < page.floor || seq > page.last)", replace: "if (seq > page.last)", tests: START },
  { core: true, breaks: "the ring closes over a gap", file: "src/events/ring.ts", find: "state.started && event.seq === state.newest + 1", replace: "state.started && event.seq > state.newest", tests: RING },
  { core: true, breaks: "a stream that fell behind goes on with a gap", file: "src/events/subscription.ts", find: "if (position < floor)", replace: "if (floor < 0)", tests: ["events/subscription.test"] },
  { core: true, breaks: "events overtake one whose text is late", file: "src/server/socket-stream.ts", find: "waits = true;\n    void Promise.all(texts)", replace: "void Promise.all(texts)", tests: STREAM },
  { breaks: "a page of the log may have any length", file: "src/services/event-log.ts", find: "where coalesce(before, 0) < ${MAX_PAGE_BYTES}", replace: "where coalesce(before, 0) < 1000 * ${MAX_PAGE_BYTES}::float8", tests: LOG },
  { breaks: "a page that was cut for its length is taken for all there is", file: "src/services/event-log.ts", find: "whole: found < limit && found === events.length,", replace: "whole: found < limit,", tests: LOG },
  { breaks: "all who return read the log at the same time", file: "src/events/feed.ts", find: "await pageSlots.take();", replace: "", tests: ["events/feed/limits.test"] },
  { breaks: "a user may have any number of subscriptions", file: "src/events/feed.ts", find: "if ((listeners.get(userId)?.subscribers ?? 0) < subscriptionsPerUser) return;", replace: "if (subscriptionsPerUser > 0) return;", tests: ["events/feed/limits.test", "server/graphql-sockets/subscriptions.test"] },
  { breaks: "a subscription too many is a result of the operation", file: "src/server/operations.ts", find: "services.feed.assertRoom(user.id);", replace: "void services;", tests: ["server/graphql-sockets/subscriptions.test"] },
  { breaks: "a reader that stalls keeps its page", file: "src/events/subscription.ts", find: "taken === takenBefore ? endPage() : watchPage(taken)", replace: "watchPage(taken + takenBefore)", tests: ["events/subscription/stalled.test"] },
  { breaks: "a reader that takes now and then has its page read again", file: "src/events/subscription.ts", find: "taken === takenBefore ? endPage() : watchPage(taken)", replace: "taken === takenBefore + 1000 ? watchPage(taken) : endPage()", tests: ["events/subscription/stalled.test"] },
  { breaks: "a reader that stalls loses the present state with which its stream begins", file: "src/events/subscription.ts", find: "if (first && first.seq > position) watchPage(0);", replace: "if (first) watchPage(0);", tests: ["events/subscription/stalled.test"] },
  { breaks: "texts that are late count nothing", file: "src/server/socket-stream.ts", find: "isReady(text) ? text.length : LATE_BYTES", replace: "isReady(text) ? text.length : 0 * LATE_BYTES", tests: STREAM },
  { breaks: "late texts are all written at once", file: "src/server/socket-stream.ts", find: "while (count < ready.length && bytes < MOST_BYTES)", replace: "while (count < ready.length && bytes < 1000 * MOST_BYTES)", tests: STREAM },
  { breaks: "the places of a user are read each time", file: "src/services/queue-places.ts", find: "seen.set(id, own);", replace: "", tests: ["services/queue-places.test"] },
];
