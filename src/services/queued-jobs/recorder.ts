import { available } from "../../db/database.js";
import type { EventBus } from "../../events/event-bus.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import type { QueuedJobEvent, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { TRANSITIONS, type LoggedEventType } from "../../domain/queued-job-status.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import type { Step } from "./statements.js";

export interface RecorderDeps {
  bus: Pick<EventBus, "ring">;
  log: Logger;
  tracer?: Tracer;
  onStep?: (type: LoggedEventType, queuedJob: QueuedJobSnapshot) => void;
}

/** Attributes of a span that waits for the database. */
export const DATABASE = { "db.system.name": "postgresql" };

type StepName = keyof typeof TRANSITIONS;

/** What the log says of each step. */
const LINES: Record<StepName, string> = {
  enqueue: "accepted",
  claim: "claimed",
  succeed: "succeeded",
  fail: "failed",
  backOff: "retrying",
  cancel: "cancelled",
  retry: "submitted again",
  delete: "deleted",
};

export type Recorder = ReturnType<typeof createRecorder>;

/** Record, then tell: what every step has in common. */
export function createRecorder({ bus, log, tracer = noTracer, onStep }: RecorderDeps) {
  /** Tells steps that are recorded: one bell for each owner, its events in order. */
  function tell(steps: Step[], name: StepName): void {
    const type = TRANSITIONS[name].event;
    const events = new Map<string, QueuedJobEvent[]>();
    for (const { seq, at, queuedJob } of steps) {
      onStep?.(type, queuedJob);
      const own = events.get(queuedJob.userId) ?? [];
      events.set(queuedJob.userId, own);
      own.push({ seq, type, at, queuedJob });
    }
    for (const [userId, own] of events)
      bus.ring(
        userId,
        own.sort((a, b) => a.seq - b.seq),
      );
  }

  /** Writes a line for each step: where the request or attempt is traced, which a batch is not. */
  function logSteps(steps: readonly (Step | null)[], name: StepName): void {
    for (const made of steps) if (made) log.info(aboutStep(made, name), LINES[name]);
  }

  /** Of many at once; null of those where somebody else was first. Their caller logs them. */
  async function record<S extends Step>(
    name: StepName,
    write: () => Promise<(S | null)[]>,
  ): Promise<(S | null)[]> {
    const steps = await available(write);
    await failpoint("step: after the commit");
    tell(
      steps.filter((one) => one !== null),
      name,
    );
    return steps;
  }

  /** Null when somebody else was first. */
  async function step<S extends Step>(
    name: StepName,
    write: () => Promise<S | null>,
  ): Promise<S | null> {
    const [made] = await tracer.span(`record ${name}`, DATABASE, () =>
      record(name, async () => [await write()]),
    );
    logSteps([made ?? null], name);
    return made ?? null;
  }

  return { tell, logSteps, record, step };
}

/** What a line in the log says of a step. */
export function aboutStep({ requestId, queuedJob }: Step, name: StepName) {
  const { id: queuedJobId, userId, jobName: job, attempts: attempt } = queuedJob;
  return { requestId, queuedJobId, userId, job, type: TRANSITIONS[name].event, attempt };
}
