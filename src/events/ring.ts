import type { QueuedJobEvent } from "../domain/queued-job.js";

/**
 * Events that a process keeps of a user with a subscriber, so that the usual delivery costs no
 * query.
 */
const SIZE = 256;

/**
 * The newest events of one user, without a gap: the numbers between two of them are known to have
 * none.
 */
export class Ring {
  /** Null: there is no event of this number any more. */
  #events: (QueuedJobEvent | null)[] = [];
  /** The position before the first of them. */
  #base = 0;
  #mark = 0;
  /** What was heard before its predecessors; most users never have any. */
  #ahead: Map<number, QueuedJobEvent> | null = null;
  #started = false;
  #newest = 0;

  /** Whether it is known where the log stands; what is heard before is kept aside. */
  get started(): boolean {
    return this.#started;
  }

  /** The position that it leads to. */
  get newest(): number {
    return this.#newest;
  }

  receive(event: QueuedJobEvent): void {
    if (this.#started && event.seq <= this.#newest) return;
    if (this.#started && event.seq === this.#newest + 1) {
      this.#push(event);
      return this.#catchUp();
    }
    this.#ahead ??= new Map();
    this.#ahead.set(event.seq, event);
    const [oldest] = this.#ahead.keys();
    if (this.#ahead.size > SIZE && oldest !== undefined) this.#ahead.delete(oldest);
  }

  /** The log stands at this position; without effect once it has started. */
  start(seq: number): void {
    if (this.#started) return;
    this.#restart(seq);
    this.#catchUp();
  }

  /** All events of the log from behind `from` up to `to`; `whole`: nothing followed them. */
  learn(from: number, events: QueuedJobEvent[], to: number, whole: boolean): void {
    const follows = this.#started && from <= this.#newest;
    // What is read of the far past is nothing for those who live in the present.
    if (!follows && !whole) return;
    if (!follows) this.#restart(from);
    if (to <= this.#newest) return;
    const bySeq = new Map(events.map((event) => [event.seq, event]));
    if (to - this.#newest > SIZE) this.#restart(to - SIZE);
    for (let seq = this.#newest + 1; seq <= to; seq++) this.#push(bySeq.get(seq) ?? null);
    this.#catchUp();
  }

  after(seq: number): QueuedJobEvent | undefined {
    let i = seq - this.#base;
    if (!this.#started || i < 0) return undefined;
    while (this.#events[i] === null) i++;
    return this.#events[i] ?? undefined;
  }

  /** Whether nothing that follows this position is missing, up to `newest`. */
  covers(seq: number): boolean {
    return this.#started && seq >= this.#base && seq <= this.#newest;
  }

  /** Lets go of what has come before its predecessors. */
  forgetAhead(): void {
    this.#ahead = null;
  }

  /** Lets go of what was there at the last call. */
  forget(): void {
    if (this.#mark > this.#base) this.#drop(Math.min(this.#mark - this.#base, this.#events.length));
    this.#mark = this.#newest;
  }

  #push(event: QueuedJobEvent | null): void {
    this.#events.push(event);
    this.#newest++;
    if (this.#events.length > SIZE) this.#drop(1);
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

  /** What came early follows by now, or is outdated. */
  #catchUp(): void {
    const ahead = this.#ahead;
    if (!ahead) return;
    for (const seq of ahead.keys()) if (seq <= this.#newest) ahead.delete(seq);
    for (let next = ahead.get(this.#newest + 1); next; next = ahead.get(this.#newest + 1)) {
      ahead.delete(next.seq);
      this.#push(next);
    }
    if (ahead.size === 0) this.#ahead = null;
  }
}
