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
export interface Ring {
  /** Whether it is known where the log stands; what is heard before is kept aside. */
  readonly started: boolean;
  /** The position that it leads to. */
  readonly newest: number;
  hear(event: QueuedJobEvent): void;
  /** The log stands at this position; without effect once it has started. */
  start(seq: number): void;
  /** All events of the log from behind `from` up to `to`; `whole`: nothing followed them. */
  learn(from: number, events: QueuedJobEvent[], to: number, whole: boolean): void;
  after(seq: number): QueuedJobEvent | undefined;
  /** Whether nothing that follows this position is missing, up to `newest`. */
  covers(seq: number): boolean;
  /** Lets go of what has come before its predecessors. */
  forgetAhead(): void;
  /** Lets go of what was there at the last call. */
  forget(): void;
}

export function createRing(): Ring {
  /** Null: there is no event of this number any more. */
  let kept: (QueuedJobEvent | null)[] = [];
  /** The position before the first of them. */
  let base = 0;
  let mark = 0;
  /** What was heard before its predecessors; most users never have any. */
  let ahead: Map<number, QueuedJobEvent> | null = null;
  // No getters: each object that has some has a shape of its own, and there are thousands of these.
  const state = { started: false, newest: 0 };

  function push(event: QueuedJobEvent | null): void {
    kept.push(event);
    state.newest++;
    if (kept.length > SIZE) drop(1);
  }

  function drop(count: number): void {
    kept.splice(0, count);
    base += count;
  }

  function restart(seq: number): void {
    kept = [];
    base = seq;
    state.newest = seq;
    state.started = true;
  }

  /** What came early follows by now, or is outdated. */
  function catchUp(): void {
    if (!ahead) return;
    for (const seq of ahead.keys()) if (seq <= state.newest) ahead.delete(seq);
    for (let next = ahead.get(state.newest + 1); next; next = ahead.get(state.newest + 1)) {
      ahead.delete(next.seq);
      push(next);
    }
    if (ahead.size === 0) ahead = null;
  }

  return Object.assign(state, {
    hear(event) {
      if (state.started && event.seq <= state.newest) return;
      if (state.started && event.seq === state.newest + 1) {
        push(event);
        return catchUp();
      }
      ahead ??= new Map();
      ahead.set(event.seq, event);
      const [oldest] = ahead.keys();
      if (ahead.size > SIZE && oldest !== undefined) ahead.delete(oldest);
    },
    start(seq) {
      if (state.started) return;
      restart(seq);
      catchUp();
    },
    learn(from, events, to, whole) {
      const follows = state.started && from <= state.newest;
      // What is read of the far past is nothing for those who live in the present.
      if (!follows && !whole) return;
      if (!follows) restart(from);
      if (to <= state.newest) return;
      const bySeq = new Map(events.map((event) => [event.seq, event]));
      if (to - state.newest > SIZE) restart(to - SIZE);
      for (let seq = state.newest + 1; seq <= to; seq++) push(bySeq.get(seq) ?? null);
      catchUp();
    },
    after(seq) {
      let i = seq - base;
      if (!state.started || i < 0) return undefined;
      while (kept[i] === null) i++;
      return kept[i] ?? undefined;
    },
    covers: (seq) => state.started && seq >= base && seq <= state.newest,
    forgetAhead() {
      ahead = null;
    },
    forget() {
      if (mark > base) drop(Math.min(mark - base, kept.length));
      mark = state.newest;
    },
  } satisfies Omit<Ring, keyof typeof state>);
}
