import type { UserEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";

/** Events kept per user with a subscriber, so that normal delivery needs no query. */
const SIZE = 256;

/**
 * A ring buffer with the newest events of one stream of a user. It has no gaps: a missing number
 * means that this stream has no such event.
 */
export class Ring<E extends UserEvent = QueuedJobEvent> {
  /** Null means that the stream has no event of this number. */
  #events: (E | null)[] = [];
  /** Position before the first event. */
  #base = 0;
  #mark = 0;
  /** Events that arrived before their predecessors; most users never have any. */
  #ahead: Map<number, E | null> | null = null;
  #started = false;
  #newest = 0;

  /** True once the position of the log is available. Events that arrive earlier are kept aside. */
  get started(): boolean {
    return this.#started;
  }

  /** Position of the newest event. */
  get newest(): number {
    return this.#newest;
  }

  receive(event: E): void {
    this.#receive(event.seq, event);
  }

  /** Takes the number of an event of the user's other stream. */
  skip(seq: number): void {
    this.#receive(seq, null);
  }

  #receive(seq: number, event: E | null): void {
    if (this.#started && seq <= this.#newest) return;
    if (this.#started && seq === this.#newest + 1) {
      this.#push(event);
      return this.#catchUp();
    }
    this.#ahead ??= new Map();
    this.#ahead.set(seq, event);
    const [oldest] = this.#ahead.keys();
    if (this.#ahead.size > SIZE && oldest !== undefined) this.#ahead.delete(oldest);
  }

  /** Sets the position of the log; has no effect after the first call. */
  start(seq: number): void {
    if (this.#started) return;
    this.#restart(seq);
    this.#catchUp();
  }

  /** Adds the events of the log after `from` up to `to`. With `whole`, none followed. */
  fill(from: number, events: E[], to: number, whole: boolean): void {
    const follows = this.#started && from <= this.#newest;
    // A page from the distant past does not connect to the current events.
    if (!follows && !whole) return;
    if (!follows) this.#restart(from);
    if (to <= this.#newest) return;
    const bySeq = new Map(events.map((event) => [event.seq, event]));
    if (to - this.#newest > SIZE) this.#restart(to - SIZE);
    for (let seq = this.#newest + 1; seq <= to; seq++) this.#push(bySeq.get(seq) ?? null);
    this.#catchUp();
  }

  after(seq: number): E | undefined {
    let i = seq - this.#base;
    if (!this.#started || i < 0) return undefined;
    while (this.#events[i] === null) i++;
    return this.#events[i] ?? undefined;
  }

  /** True if no event after this position is missing, up to `newest`. */
  covers(seq: number): boolean {
    return this.#started && seq >= this.#base && seq <= this.#newest;
  }

  /** Drops events that arrived before their predecessors. */
  forgetAhead(): void {
    this.#ahead = null;
  }

  /** Drops events from before the last call. */
  forget(): void {
    if (this.#mark > this.#base) this.#drop(Math.min(this.#mark - this.#base, this.#events.length));
    this.#mark = this.#newest;
  }

  #push(event: E | null): void {
    this.#events.push(event);
    this.#newest++;
    if (this.#events.length <= SIZE) return;
    // Constant time, unlike `splice`.
    this.#events.shift();
    this.#base++;
  }

  #drop(count: number): void {
    this.#events.splice(0, count);
    this.#base += count;
  }

  #restart(seq: number): void {
    this.#events = [];
    this.#base = seq;
    this.#newest = seq;
    this.#started = true;
  }

  /** Adds events that arrived early and are now in order, and drops outdated ones. */
  #catchUp(): void {
    const ahead = this.#ahead;
    if (!ahead) return;
    for (const seq of ahead.keys()) if (seq <= this.#newest) ahead.delete(seq);
    for (let seq = this.#newest + 1; ahead.has(seq); seq++) {
      const next = ahead.get(seq) ?? null;
      ahead.delete(seq);
      this.#push(next);
    }
    if (ahead.size === 0) this.#ahead = null;
  }
}
