import type { Mutant } from "../mutant.js";

const CHANNEL = ["events/channel.test"];
const RING = ["events/ring.test"];
const NEWS = ["events/progress-news.test"];
const FEED = ["events/feed.test"];
const LOG = ["services/event-log.test"];
const HISTORY = ["events/feed/history.test"];
const START = ["events/feed/start.test"];
const SHARED = ["server/shared-results.test"];
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
  { breaks: "nobody looks when Redis is back", file: "src/events/feed.ts", find: "bus.onReconnect(() => void check());", replace: "", tests: ["events/feed/away.test"] },
  { breaks: "the first who leaves takes the channel along", file: "src/events/feed.ts", find: "--listener.subscribers > 0", replace: "--listener.subscribers < 0", tests: FEED },
  { breaks: "a stream that was refused keeps its channel", file: "src/events/feed.ts", find: "leave(request.userId);\n        throw error;", replace: "throw error;", tests: FEED },
  { core: true, breaks: "a cursor of another history is resumed", file: "src/events/find-start.ts", find: "if (after.epoch !== epoch) throw expired();", replace: "", tests: START },
  { core: true, breaks: "a cursor behind which something was purged is resumed", file: "src/events/find-start.ts", find: "if (seq < page.floor || seq > page.last)", replace: "if (seq > page.last)", tests: START },
  { breaks: "a cursor that lies in the future is resumed", file: "src/events/find-start.ts", find: "if (seq < page.floor || seq > page.last)", replace: "if (seq < page.floor)", tests: START },
  { breaks: "a stream that is resumed behind its end stays open", file: "src/events/find-start.ts", find: "ended: present.finished && present.lastSeq <= seq", replace: "ended: false", tests: START },
  { breaks: "a hole is read before its bell can come", file: "src/events/channel.ts", find: "state.head > seq && !(patience && seq === ring.newest)", replace: "state.head > seq", tests: CHANNEL },
  { breaks: "a hole is waited for until the next bell", file: "src/events/channel.ts", find: "patience = null; wake(); }", replace: "patience = null; }", tests: CHANNEL },
  { breaks: "what a bell told while the log was asked is forgotten", file: "src/events/channel.ts", find: "heard ? Math.max(known, seq) : seq", replace: "seq", tests: CHANNEL },
  { breaks: "an event of which a bell lied is kept aside", file: "src/events/channel.ts", find: "if (!heard) ring.forgetAhead();", replace: "", tests: CHANNEL },
  { breaks: "what another's query found wakes nobody", file: "src/events/channel.ts", find: "if (state.head > known) wake();", replace: "", tests: [...CHANNEL, ...FEED] },
  { breaks: "the ring learns from a page behind which something was purged", file: "src/events/channel.ts", find: "seq >= page.floor && seq <= page.last", replace: "seq <= page.last", tests: CHANNEL },
  { breaks: "news that comes while all are woken is not told", file: "src/events/channel.ts", find: "again = waking;", replace: "again = false;", tests: CHANNEL },
  { breaks: "everybody reads a page for themselves", file: "src/events/channel.ts", find: "reading.get(key) ?? readPage", replace: "readPage", tests: CHANNEL },
  { breaks: "a page that could not be read is never read again", file: "src/events/channel.ts", find: ".finally(() => endReading(key))", replace: "", tests: CHANNEL },
  { core: true, breaks: "the ring closes over a gap", file: "src/events/ring.ts", find: "state.started && event.seq === state.newest + 1", replace: "state.started && event.seq > state.newest", tests: RING },
  { breaks: "the ring grows for ever", file: "src/events/ring.ts", find: "if (kept.length > SIZE) drop(1);", replace: "", tests: RING },
  { breaks: "the ring says that it has what it dropped", file: "src/events/ring.ts", find: "seq >= base && seq <= state.newest", replace: "seq <= state.newest", tests: RING },
  { breaks: "the ring lets go of nothing", file: "src/events/ring.ts", find: "if (mark > base) drop(Math.min(mark - base, kept.length));", replace: "", tests: RING },
  { breaks: "what came early is not given when its turn comes", file: "src/events/ring.ts", find: "push(event);\n        return catchUp();", replace: "return push(event);", tests: RING },
  { breaks: "a progress that comes late is told behind the end", file: "src/events/progress-news.ts", find: "if (lastLogged(id) > event.seq) return;", replace: "", tests: NEWS },
  { breaks: "a progress that nobody has told yet is told behind the end", file: "src/events/progress-news.ts", find: "if (told && told.event.seq < seq) last?.delete(id);", replace: "", tests: NEWS },
  { breaks: "a progress overtakes the start of its attempt", file: "src/events/progress-news.ts", find: "entry.serial > told && entry.event.seq <= seq", replace: "entry.serial > told", tests: NEWS },
  { breaks: "a stream goes on behind the end of its QueuedJob", file: "src/events/subscription.ts", find: "if (queuedJobId !== null && endsStream(event.type))", replace: "if (false)", tests: ["events/subscription.test"] },
  { core: true, breaks: "a stream that fell behind goes on with a gap", file: "src/events/subscription.ts", find: "if (position < floor)", replace: "if (floor < 0)", tests: ["events/subscription.test"] },
  { breaks: "a stream ends when PostgreSQL is away", file: "src/events/subscription.ts", find: "if (error instanceof ServiceUnavailableError) await pause", replace: "if (false) await pause", tests: ["events/feed/away.test"] },
  { breaks: "a progress is cut to a number that it does not have", file: "src/events/event-bus.ts", find: "const isCut = isLogged && text.length > MAX_EVENT_LENGTH;", replace: "const isCut = text.length > MAX_EVENT_LENGTH;", tests: ["events/event-bus.test"] },
  { breaks: "a result is shared with another owner", file: "src/server/shared-results.ts", find: "JSON.stringify([operationName ?? null, user, values])", replace: "JSON.stringify([operationName ?? null, values])", tests: SHARED },
  { breaks: "a result is shared with other variables", file: "src/server/shared-results.ts", find: "JSON.stringify([operationName ?? null, user, values])", replace: "JSON.stringify([operationName ?? null, user])", tests: SHARED },
  { breaks: "a result is shared with another cursor", file: "src/server/shared-results.ts", find: "known.cursorSeq === told.cursorSeq && ", replace: "", tests: SHARED },
  { breaks: "a result of long ago is shared", file: "src/server/shared-results.ts", find: "Date.now() - known.at < SHARED_MS", replace: "known.at > 0", tests: SHARED },
  { breaks: "events are taken for a reader that does not read", file: "src/server/socket-stream.ts", find: "if (!writer.free) return waitForReader();", replace: "", tests: STREAM },
  { core: true, breaks: "events overtake one whose text is late", file: "src/server/socket-stream.ts", find: "waits = true;\n    void Promise.all(texts)", replace: "void Promise.all(texts)", tests: STREAM },
  { breaks: "a text that is late is written behind the end of its stream", file: "src/server/socket-stream.ts", find: "if (stopped) return;", replace: "", tests: STREAM },
  { breaks: "a frame of 126 bytes has the head of a shorter one", file: "src/server/socket-stream.ts", find: "if (length < 126) return", replace: "if (length <= 126) return", tests: STREAM },
  { breaks: "a frame of 65,536 bytes has room for the head of a shorter one", file: "src/server/socket-stream.ts", find: "length < 65_536 ? 4 : 10", replace: "length <= 65_536 ? 4 : 10", tests: STREAM },
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
