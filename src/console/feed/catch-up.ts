/** How a stream went on after a cut. */
export interface CatchUp {
  /** Milliseconds without a connection. */
  awayMs: number;
  /** Events that happened meanwhile, each of which has been delivered by now. */
  missed: number;
  /**
   * Steps of a QueuedJob that its versions show to be missing, or to have come twice; both are 0,
   * or something is broken.
   */
  lost: number;
  repeated: number;
}

interface Told {
  cursor: string;
  type: string;
  queuedJob: { id: string; version: number };
}

/**
 * Watches a stream for what a cut did to it. The proof is the server's, not the clock's: once
 * connected again, one asks where the stream stands, and everything up to that cursor was missed
 * and has been delivered when that cursor has come.
 */
export function createCatchUpWatch() {
  const versions = new Map<string, number>();
  let lastCursor: string | null = null;
  let run: {
    startedFrom: string | null;
    awayMs: number;
    cursors: string[];
    lost: number;
    repeated: number;
    target: string | null;
  } | null = null;

  function settled(): CatchUp | null {
    if (!run || run.target === null) return null;
    const missed = run.target === run.startedFrom ? 0 : run.cursors.indexOf(run.target) + 1;
    if (missed === 0 && run.target !== run.startedFrom) return null;
    const { awayMs, lost, repeated } = run;
    run = null;
    return { awayMs, missed, lost, repeated };
  }

  return {
    /** Where the stream begins, before any event. */
    startAt(cursor: string) {
      lastCursor = cursor;
      versions.clear();
      run = null;
    },
    /** The connection is back after so long; what comes now was missed, up to the target. */
    resumed(awayMs: number) {
      run = { startedFrom: lastCursor, awayMs, cursors: [], lost: 0, repeated: 0, target: null };
    },
    /**
     * Where the stream stood when it was resumed. Answers the result once everything up to there
     * has come, as does `told`.
     */
    target(cursor: string): CatchUp | null {
      if (run) run.target = cursor;
      return settled();
    },
    told({ cursor, type, queuedJob: { id, version } }: Told): CatchUp | null {
      if (type === "PROGRESS") return null;
      lastCursor = cursor;
      const known = versions.get(id);
      versions.set(id, version);
      if (!run) return null;
      run.cursors.push(cursor);
      if (known !== undefined && version > known + 1) run.lost += version - known - 1;
      if (known !== undefined && version <= known) run.repeated++;
      return settled();
    },
  };
}
