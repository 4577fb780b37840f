import { setTimeout as pause } from "node:timers/promises";
import { askUntilAnswered } from "../people/ask-until-answered.js";
import { openFeedConnection, type FeedConnection, type FeedEnd } from "./feed-connection.js";
import type { Person } from "../people/person.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import { toToldEvent, type ToldEvent } from "./told-event.js";
import type { Violations } from "../checks/violations.js";

/**
 * A client that writes down every event of its user, and resumes behind the last one wherever it
 * finds an API.
 */
export interface FeedRecorder {
  name: string;
  person: Person;
  events: readonly ToldEvent[];
  /** From where to where a page was read instead, after the history of the database changed. */
  gaps: readonly { from: string; to: string }[];
  readonly connections: number;
  /** The longest time from the end of a connection to the next one that stood. */
  readonly longestGapMs: number;
  cut(): void;
  /** Reads nothing for this long, or until the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Closes that a client answers by coming back: cut, gone away, try again later; or its own. */
const PASSING = new Set([1000, 1001, 1005, 1006, 1012, 1013]);

export function startFeedRecorder(options: {
  name: string;
  person: Person;
  pickUrl: () => string;
  random: SeededRandom;
  violations: Violations;
  includeProgress?: boolean;
  hasFailedOver?: () => boolean;
}): FeedRecorder {
  const {
    name,
    person,
    pickUrl,
    random,
    violations,
    includeProgress = true,
    hasFailedOver = () => false,
  } = options;
  const events: ToldEvent[] = [];
  const gaps: { from: string; to: string }[] = [];
  let cursor = person.firstCursor;
  let connection: FeedConnection | null = null;
  let connections = 0;
  let longestGapMs = 0;
  let endedAt: number | null = null;
  let closed = false;

  function connect(): FeedConnection {
    const number = ++connections;
    return openFeedConnection({
      url: pickUrl(),
      token: person.token,
      after: cursor,
      includeProgress,
      onReady() {
        if (endedAt !== null) longestGapMs = Math.max(longestGapMs, Date.now() - endedAt);
        endedAt = null;
      },
      onEvent(event) {
        cursor = event.cursor;
        events.push(toToldEvent(event, number));
      },
    });
  }

  function judge({ close, codes }: FeedEnd): void {
    const isExpected = (code: string) =>
      code === "SERVICE_UNAVAILABLE" || (code === "CURSOR_EXPIRED" && hasFailedOver());
    for (const code of codes)
      if (!isExpected(code))
        violations.add("other", `the feed ${name} was refused with ${code} after ${cursor}`);
    if (!PASSING.has(close.code))
      violations.add("other", `the feed ${name} was closed with ${close.code} ${close.reason}`);
  }

  /** What a client does when its cursor has expired: it reads the page, and goes on behind that. */
  async function readPage(): Promise<void> {
    const page = await askUntilAnswered<{ queuedJobs: { eventCursor: string } }>(person.api, {
      query: "{ queuedJobs(first: 1) { eventCursor } }",
      deadlineMs: 60_000,
    });
    gaps.push({ from: cursor, to: page.queuedJobs.eventCursor });
    cursor = page.queuedJobs.eventCursor;
  }

  async function keepConnected(): Promise<void> {
    while (!closed) {
      connection = connect();
      const end = await connection.ended;
      endedAt ??= Date.now();
      judge(end);
      if (end.codes.includes("CURSOR_EXPIRED")) await readPage();
      await pause(random.int(20, 300));
    }
  }

  const connected = keepConnected();
  return {
    name,
    person,
    events,
    gaps,
    get connections() {
      return connections;
    },
    get longestGapMs() {
      return longestGapMs;
    },
    cut: () => connection?.cut(),
    async sleep(ms, signal) {
      const asleep = connection;
      asleep?.pause();
      await pause(ms, undefined, { signal }).catch(() => {});
      asleep?.resume();
    },
    async close() {
      closed = true;
      connection?.cut();
      await connected;
    },
  };
}
