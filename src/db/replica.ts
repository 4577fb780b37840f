// A read replica for reads that may be some seconds old. How old it is follows from positions in
// the primary's log: what was committed before a position was read is on every server that has
// replayed up to it. On the replica alone, a quiet primary looks like a lost one.
import { withTimeout } from "../runtime/deadline.js";
import { isAway, sqlState, type Database } from "./database.js";

export interface RecentReads {
  /**
   * Runs a read on the replica while it is at most ten seconds behind. Otherwise, and when the
   * replica fails, it runs on the primary.
   */
  read<T>(work: (database: Database) => Promise<T>): Promise<T>;
  /** Seconds by which the replica may be behind; null without a replica. */
  lagSeconds(): number | null;
}

export interface ReplicaOptions {
  primary: Database;
  replica: Database;
  /** Called when reads begin or cease to go to the replica. */
  onChange(usable: boolean): void;
  checkMs?: number;
  maxLagMs?: number;
}

const MAX_LAG_MS = 10_000;
const CHECK_MS = 1000;
const ANSWER_MS = 1000;
/** A statement on the replica was in the way of a change that it had to replay. */
const CONFLICT = "40001";

/** Sends all reads to the primary. */
export function readPrimary(primary: Database): RecentReads {
  return { read: (work) => work(primary), lagSeconds: () => null };
}

export function openReplica(options: ReplicaOptions): RecentReads & { close(): void } {
  const { primary, replica, onChange, checkMs = CHECK_MS, maxLagMs = MAX_LAG_MS } = options;
  const state = new ReplicaState();
  let isUsed = false;
  let isChecking = false;

  async function check(): Promise<void> {
    const at = performance.now();
    const [written] = await inTime(readWritten(primary));
    if (written) state.noteWritten({ at, position: written.position });
    const [replayed] = await inTime(readReplayed(replica));
    state.noteReplayed(replayed?.position ?? null);
  }

  function report(): void {
    if (isUsed === isUsable()) return;
    isUsed = isUsable();
    onChange(isUsed);
  }

  const isUsable = () => state.ageMs() <= maxLagMs;
  const timer = setInterval(() => {
    if (isChecking) return;
    isChecking = true;
    void check()
      .catch(() => state.noteReplayed(null))
      .finally(() => {
        isChecking = false;
        report();
      });
  }, checkMs).unref();

  return {
    async read(work) {
      if (!isUsable()) return work(primary);
      try {
        return await work(replica);
      } catch (error) {
        if (!isAway(error) && sqlState(error) !== CONFLICT) throw error;
        if (isAway(error)) state.noteReplayed(null);
        return work(primary);
      }
    },
    lagSeconds: () => state.ageMs() / 1000,
    close: () => clearInterval(timer),
  };
}

/** A position in the primary's log, and a time before which it was read. */
interface Written {
  at: number;
  position: number;
}

class ReplicaState {
  /** Positions that the replica has not reached, oldest first. */
  #ahead: Written[] = [];
  #replayed = 0;
  /** Time as of which the replica has everything; null while it is unknown. */
  #currentAt: number | null = null;

  ageMs(): number {
    return this.#currentAt === null ? Infinity : performance.now() - this.#currentAt;
  }

  noteWritten(written: Written): void {
    const isBackwards = written.position < (this.#ahead.at(-1)?.position ?? 0);
    const isDiverged = written.position < this.#replayed;
    // After a failover that lost commits, the positions of before mean nothing.
    if (isBackwards || isDiverged) [this.#ahead, this.#currentAt] = [[], null];
    // A replica that is far behind needs the oldest positions first, but not all of them.
    if (!isDiverged && this.#ahead.length < MAX_AHEAD) this.#ahead.push(written);
  }

  /** Null: the server does not answer, or it is not a replica. */
  noteReplayed(position: number | null): void {
    this.#replayed = position ?? 0;
    if (position === null) return void (this.#currentAt = null);
    while (this.#ahead[0] && this.#ahead[0].position <= position)
      this.#currentAt = this.#ahead.shift()?.at ?? null;
  }
}

const MAX_AHEAD = 1000;

const readWritten = ({ sql }: Database) => sql<{ position: number }[]>`
  select (pg_current_wal_lsn() - '0/0')::float8 as position`;

const readReplayed = ({ sql }: Database) => sql<{ position: number | null }[]>`
  select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0')::float8
    end as position`;

function inTime<T>(work: Promise<T>): Promise<T> {
  return withTimeout(work, ANSWER_MS, () => {
    throw new Error(`PostgreSQL does not answer within ${ANSWER_MS} ms.`);
  });
}
