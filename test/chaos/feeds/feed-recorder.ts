import { setTimeout as pause } from "node:timers/promises";
import { askUntilAnswered } from "../people/ask-until-answered.js";
import { FeedConnection, type FeedEnd } from "./feed-connection.js";
import type { Person } from "../people/person.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import { STREAMS, toReceivedEvent, type ReceivedEvent } from "./received-event.js";
import type { Violations } from "../checks/violations.js";

/** Close codes after which a client reconnects: cut, going away, try again later, or its own. */
const PASSING = new Set([1000, 1001, 1005, 1006, 1012, 1013]);

export interface FeedRecorderOptions {
  name: string;
  person: Person;
  pickUrl: () => string;
  random: SeededRandom;
  violations: Violations;
  /** Default: jobs. */
  stream?: keyof typeof STREAMS;
  hasFailedOver?: () => boolean;
}

/** A client that records every event of its user, and resumes after the last one at any API. */
export class FeedRecorder {
  readonly name: string;
  readonly person: Person;
  readonly #options: FeedRecorderOptions;
  readonly #events: ReceivedEvent[] = [];
  readonly #gaps: { from: string; to: string }[] = [];
  readonly #finished: Promise<void>;
  #cursor: string;
  #connection: FeedConnection | null = null;
  #connections = 0;
  #longestGapMs = 0;
  #endedAt: number | null = null;
  #isClosed = false;

  constructor(options: FeedRecorderOptions) {
    this.name = options.name;
    this.person = options.person;
    this.#options = options;
    this.#cursor = options.person.firstCursor;
    this.#finished = this.#keepConnected();
  }

  get events(): readonly ReceivedEvent[] {
    return this.#events;
  }

  /** Cursor ranges that a page replaced after the history of the database had changed. */
  get gaps(): readonly { from: string; to: string }[] {
    return this.#gaps;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Longest time from the end of a connection to the next established one. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  cut(): void {
    this.#connection?.cut();
  }

  /** Stops reading for that time, or until the signal. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    connection?.pause();
    await pause(ms, undefined, { signal }).catch(() => {});
    connection?.resume();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.cut();
    await this.#finished;
  }

  async #keepConnected(): Promise<void> {
    while (!this.#isClosed) {
      this.#connection = this.#connect();
      const end = await this.#connection.ended;
      this.#endedAt ??= Date.now();
      this.#judge(end);
      if (end.codes.includes("CURSOR_EXPIRED")) await this.#readPage();
      await pause(this.#options.random.int(20, 300));
    }
  }

  #connect(): FeedConnection {
    const { pickUrl, stream = "jobs" } = this.#options;
    const number = ++this.#connections;
    return new FeedConnection({
      url: pickUrl(),
      token: this.person.token,
      query: STREAMS[stream],
      after: this.#cursor,
      onReady: () => {
        if (this.#endedAt !== null)
          this.#longestGapMs = Math.max(this.#longestGapMs, Date.now() - this.#endedAt);
        this.#endedAt = null;
      },
      onEvent: (event) => {
        this.#cursor = event.cursor;
        this.#events.push(toReceivedEvent(event, number));
      },
    });
  }

  #judge({ close, codes }: FeedEnd): void {
    const { violations, hasFailedOver = () => false } = this.#options;
    const isExpected = (code: string) =>
      code === "SERVICE_UNAVAILABLE" || (code === "CURSOR_EXPIRED" && hasFailedOver());
    for (const code of codes)
      if (!isExpected(code))
        violations.add(
          "other",
          `the feed ${this.name} was refused with ${code} after ${this.#cursor}`,
        );
    if (!PASSING.has(close.code))
      violations.add(
        "other",
        `the feed ${this.name} was closed with ${close.code} ${close.reason}`,
      );
  }

  /** After an expired cursor, a client reads the page and continues from its cursor. */
  async #readPage(): Promise<void> {
    const page = await askUntilAnswered<{ queuedJobs: { eventCursor: string } }>(this.person.api, {
      query: "{ queuedJobs(first: 1) { eventCursor } }",
      deadlineMs: 60_000,
    });
    this.#gaps.push({ from: this.#cursor, to: page.queuedJobs.eventCursor });
    this.#cursor = page.queuedJobs.eventCursor;
  }
}
