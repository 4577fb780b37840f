import { available } from "../../db/database.js";
import type { EventBus } from "../../events/event-bus.js";
import { failpoint } from "../../failpoint.js";
import type { Logger } from "../../logger.js";
import type { QueuedJob, QueuedJobEvent } from "../../queued-job.js";
import { TRANSITIONS } from "../../queued-job-status.js";
import type { LoggedEventType } from "../../queued-job-status.js";
import { noTracer } from "../../tracer.js";
import type { Tracer } from "../../tracer.js";
import type { Step } from "./statements.js";

export interface RecorderDeps {
  bus: Pick<EventBus, "ring">;
  log: Logger;
  tracer?: Tracer;
  onStep?: (type: LoggedEventType, queuedJob: QueuedJob) => void;
}

/** Attributes of a span that waits for the database. */
export const DATABASE = { "db.system.name": "postgresql" };

/** Record, then tell: what every step has in common. */
export function createRecorder({ bus, log, tracer = noTracer, onStep }: RecorderDeps) {
  /** Tells steps that are recorded: one bell for each owner, its events in order. */
  function tell(steps: Step[], type: LoggedEventType): void {
    const events = new Map<string, QueuedJobEvent[]>();
    for (const { seq, at, queuedJob } of steps) {
      onStep?.(type, queuedJob);
      const own = events.get(queuedJob.userId) ?? [];
      events.set(queuedJob.userId, own);
      own.push({ seq, type, at, queuedJob });
    }
    for (const [userId, own] of events) bus.ring(userId, own.sort((a, b) => a.seq - b.seq));
  }

  /** Of many at once; null of those where somebody else was first. */
  async function record<S extends Step>(name: keyof typeof TRANSITIONS, write: () => Promise<(S | null)[]>): Promise<(S | null)[]> {
    const steps = await available(write);
    await failpoint("step: after the commit");
    const made = steps.filter((one) => one !== null);
    tell(made, TRANSITIONS[name].event);
    for (const { queuedJob, requestId } of made) log.debug({ queuedJobId: queuedJob.id, userId: queuedJob.userId, requestId, step: name, version: queuedJob.version }, "step");
    return steps;
  }

  /** Null when somebody else was first. */
  async function step<S extends Step>(name: keyof typeof TRANSITIONS, write: () => Promise<S | null>): Promise<S | null> {
    const [made] = await tracer.span(`record ${name}`, DATABASE, () => record(name, async () => [await write()]));
    return made ?? null;
  }

  return { tell, record, step };
}
