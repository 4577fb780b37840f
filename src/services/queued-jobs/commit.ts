// The only way to commit: a statement first, then the effects of the rows that it returned. The
// effects may be lost; what is recorded is not.
import { available } from "../../db/database.js";
import type { QueuedJobEvent, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { TRANSITIONS, type LoggedEventType } from "../../domain/queued-job-status.js";
import type { EventBus } from "../../events/event-bus.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import { noTracer, type Tracer } from "../../runtime/tracer.js";
import type { Dispatcher } from "./dispatch.js";
import type { Hinted, Step } from "./statements.js";

export interface CommitterDeps {
  bus: Pick<EventBus, "publish">;
  dispatcher: Pick<Dispatcher, "add" | "remove">;
  log: Logger;
  tracer?: Tracer;
  /** Cancels some rows of these groups that are marked for it; null means any group. */
  cancelMarked(groupIds: readonly string[] | null): Promise<(Step | null)[]>;
  /** Called with each recorded step. */
  onStep?: (type: LoggedEventType, queuedJob: QueuedJobSnapshot) => void;
}

/** Span attributes of a database call. */
export const DATABASE = { "db.system.name": "postgresql" };

export type StepName = keyof typeof TRANSITIONS;

/** The progress of an attempt, which is published but not logged. */
export interface ProgressEvent extends QueuedJobEvent {
  type: "PROGRESS";
}

/** One statement and the way to read its events. */
export interface Change<T> {
  step: StepName | "progress";
  /** Runs the statement. It may run again after the database has rolled it back. */
  write(): Promise<T>;
  /** Returns the events of the result; null where the guard of a row did not hold. */
  eventsOf(written: T): readonly (Step | ProgressEvent | null)[];
  /** True if its caller goes on with the rows that it marks. */
  isWave?: true;
  /** Milliseconds until the rows are due; by default, until their `runAt`. */
  delayMs?: number;
}

export interface Recorded<T> {
  written: T;
  followed: Promise<void>;
}

export interface Committer {
  /**
   * Runs the statement, then counts, publishes and dispatches its events. It writes no log lines: a
   * batch belongs to no single request, so its callers log their own steps.
   */
  commit<T>(change: Change<T>): Promise<T>;
  /**
   * Like `commit`, but resolves as soon as the statement has ended. `followed` resolves when its
   * events are dispatched.
   */
  record<T>(change: Change<T>): Promise<Recorded<T>>;
  /** Commits and logs a step of one row in a span; null when another process was first. */
  commitOne(
    step: StepName,
    write: () => Promise<Step | null>,
    more?: { delayMs?: number },
  ): Promise<Step | null>;
  /**
   * Cancels the rows of these groups, or of any, that are marked for it, wave by wave. Returns
   * their number.
   */
  cancelMarked(groupIds: readonly string[] | null): Promise<number>;
  /** Writes one log line per step, in the trace of the request or attempt. */
  logSteps(steps: readonly (Step | null)[], name: StepName): void;
}

/** The log message of each step. */
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

/** The change of the queue that follows an event of this type. */
const HINTS = new Map(Object.values(TRANSITIONS).map(({ event, hint }) => [event, hint]));

export function createCommitter(deps: CommitterDeps): Committer {
  const { dispatcher, log, tracer = noTracer } = deps;

  async function follow<T>(change: Change<T>, written: T): Promise<void> {
    const at = change.step === "enqueue" ? "accept" : "step";
    await failpoint(`${at}: after the commit`);
    const events = change.eventsOf(written).filter((event) => event !== null);
    publish(deps, events);
    const { due, groupIds } = await dispatch(dispatcher, events.filter(isStep), change.delayMs);
    if (due.length > 0) await dispatcher.add(due);
    // A failure is not passed on, because the step that marked the rows is recorded.
    if (groupIds.length > 0 && !change.isWave)
      await cancelMarked(groupIds).catch((error: unknown) =>
        log.warn({ err: error, groupIds }, "the reconciler cancels the rest of these groups"),
      );
  }

  async function cancelWave(groupIds: readonly string[] | null): Promise<number> {
    const change = { step: "cancel", write: () => deps.cancelMarked(groupIds) } as const;
    const steps = await commit({ ...change, eventsOf: (cancelled) => cancelled, isWave: true });
    logSteps(steps, "cancel");
    return steps.filter((step) => step !== null).length;
  }
  const cancelMarked = (groupIds: readonly string[] | null) => inWaves(() => cancelWave(groupIds));

  async function record<T>(
    change: Change<T>,
    write = () => available(change.write),
  ): Promise<Recorded<T>> {
    const written = await write();
    return { written, followed: follow(change, written) };
  }

  async function commit<T>(change: Change<T>, write?: () => Promise<T>): Promise<T> {
    const { written, followed } = await record(change, write);
    // A submission is accepted once it is recorded, so its caller does not wait for the queue.
    if (change.step !== "enqueue") await followed;
    return written;
  }

  const logSteps = (steps: readonly (Step | null)[], name: StepName): void => {
    for (const step of steps) if (step) log.info(logFields(step), LINES[name]);
  };

  return {
    commit: (change) => commit(change),
    record: (change) => record(change),
    cancelMarked,
    logSteps,
    async commitOne(step, write, more) {
      const change: Change<Step | null> = { step, write, eventsOf: (one) => [one], ...more };
      const one = await commit(change, () =>
        tracer.span(`record ${step}`, DATABASE, () => available(write)),
      );
      logSteps([one], step);
      return one;
    },
  };
}

/** Adds and removes the hints of these steps. Returns what else they make due, and cancel. */
async function dispatch(
  dispatcher: CommitterDeps["dispatcher"],
  steps: readonly Step[],
  delayMs?: number,
): Promise<Effects> {
  const wanted = steps.filter((step) => HINTS.get(step.type) === "add" && !waits(step));
  const unwanted = steps.filter(({ type }) => HINTS.get(type) === "remove");
  if (wanted.length > 0) await dispatcher.add(wanted, delayMs);
  await Promise.all(unwanted.map((step) => dispatcher.remove(step)));
  return effectsOf(steps);
}

/** The steps of a wave mark the rows that depend on them, so the next wave finds those. */
async function inWaves(cancelWave: () => Promise<number>): Promise<number> {
  for (let count = 0; ;) {
    await failpoint("group: before the next wave");
    const cancelled = await cancelWave();
    if (cancelled === 0) return count;
    count += cancelled;
  }
}

/** Counts the events, and publishes one notification per owner with its events in order. */
function publish(
  { bus, onStep }: Pick<CommitterDeps, "bus" | "onStep">,
  recorded: readonly (Step | ProgressEvent)[],
): void {
  const byUser = new Map<string, QueuedJobEvent[]>();
  for (const event of recorded) {
    const { seq, type, at, queuedJob } = event;
    if (type !== "PROGRESS") onStep?.(type, queuedJob);
    const events = byUser.get(queuedJob.userId) ?? [];
    byUser.set(queuedJob.userId, events);
    events.push({ seq, type, at, queuedJob });
  }
  for (const [userId, events] of byUser)
    bus.publish(
      userId,
      events.sort((a, b) => a.seq - b.seq),
    );
}

interface Effects {
  due: Hinted[];
  groupIds: string[];
}

/** Collects the due successors, and the groups with rows to cancel. */
function effectsOf(steps: readonly Step[]): Effects {
  const effects = steps.flatMap((step) => step.effects ?? []);
  const groupIds = new Set(effects.flatMap(({ cancelling }) => cancelling));
  return { due: effects.flatMap(({ due }) => due), groupIds: [...groupIds] };
}

/** A row that waits for predecessors needs no hint yet. */
function waits({ queuedJob }: Step): boolean {
  return (queuedJob.member?.waitingFor ?? 0) > 0;
}

function isStep(event: Step | ProgressEvent): event is Step {
  return event.type !== "PROGRESS";
}

export function logFields({ requestId, type, queuedJob }: Step) {
  const { id: queuedJobId, userId, jobName: job, attempts: attempt } = queuedJob;
  return { requestId, queuedJobId, userId, job, type, attempt };
}
