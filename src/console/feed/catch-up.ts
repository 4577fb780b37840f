/** The outcome of resuming the stream after a lost connection. */
export interface CatchUp {
  /** Milliseconds without a connection. */
  awayMs: number;
  /** Number of events that happened without a connection; all are delivered by now. */
  missed: number;
  /** Steps that a gap in the versions of a QueuedJob shows to be missing; 0 unless a bug exists. */
  lost: number;
  /** Steps that arrived twice; 0 unless a bug exists. */
  repeated: number;
}

interface ReceivedEvent {
  cursor: string;
  type: string;
  /** Absent in events of photos, which have no versions. */
  queuedJob?: { id: string; version: number };
}

/**
 * Measures how many events a lost connection delayed. The server gives the proof, not the clock:
 * after a reconnect, the page reads the stream's current cursor. All events up to that cursor were
 * missed, and all are delivered once the event with that cursor has arrived.
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
    /** Sets the cursor from which the stream starts. */
    startAt(cursor: string) {
      lastCursor = cursor;
      versions.clear();
      run = null;
    },
    /** Starts a measurement after a reconnect: the events up to the target were missed. */
    resumed(awayMs: number) {
      run = { startedFrom: lastCursor, awayMs, cursors: [], lost: 0, repeated: 0, target: null };
    },
    /** Sets the stream's cursor at the reconnect. Returns the result if that event has arrived. */
    target(cursor: string): CatchUp | null {
      if (run) run.target = cursor;
      return settled();
    },
    receive({ cursor, type, queuedJob }: ReceivedEvent): CatchUp | null {
      if (type === "PROGRESS") return null;
      lastCursor = cursor;
      const last = queuedJob && versions.get(queuedJob.id);
      if (queuedJob) versions.set(queuedJob.id, queuedJob.version);
      if (!run) return null;
      run.cursors.push(cursor);
      if (queuedJob && last !== undefined) {
        run.lost += Math.max(0, queuedJob.version - last - 1);
        if (queuedJob.version <= last) run.repeated++;
      }
      return settled();
    },
  };
}
