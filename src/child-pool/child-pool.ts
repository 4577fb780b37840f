import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { ChildStoppedError, type ChildStopReason } from "./exit-reason.js";
import { NeverBegunError, type RunOptions } from "./child-work.js";
import { canCap, WarmChild } from "./warm-child.js";
import { createTaskQueue, type TaskQueue, type WaitingTask } from "./task-queue.js";

// These are processes and not worker threads, because a process can be killed in the middle of a
// decode and its memory is freed with it. A worker thread's promise rejects while libvips continues
// to compute, and terminate() waits for libvips.

/** Child processes that stay warm and run one task at a time each, in the order of arrival. */
export interface ChildPool {
  /**
   * Resolves with the child's result, and settles only after the work has really stopped. Rejects
   * with ChildStoppedError or with what the child threw; errors that a caller may see keep their
   * class and code. When a child dies, only its current task fails. Rejects with
   * ServiceUnavailableError while no child can be started, because the task is not the reason.
   */
  run(request: unknown, options: RunOptions): Promise<unknown>;
  /**
   * Starts all children now, so that no task waits for a start later. Resolves when each is ready
   * or has failed to start.
   */
  warm(): Promise<void>;
  readonly running: number;
  readonly waiting: number;
  /** The reason why no child can be started; null while a child runs or can be started. */
  readonly startFault: string | null;
  /**
   * Resolves when a child is ready again or the pool is closed. The pool tries again every few
   * seconds.
   */
  untilStartable(): Promise<void>;
  /** Rejects the waiting tasks, stops the running ones, and resolves when every child has ended. */
  close(): Promise<void>;
}

export type ChildFault = Exclude<ChildStopReason, "aborted" | "closed">;

export interface ChildPoolOptions {
  /** The compiled module that the children run; it calls serveChild. */
  entry: URL;
  /** Maximum number of children. */
  size: number;
  /** Maximum memory of each child; a decode that needs more fails. Works on Linux only. */
  memoryLimitBytes: number;
  log: Logger;
  /** Niceness of the children, from 0 to 19; default 0. */
  niceness?: number;
  /** Number of tasks after which a child is replaced; default 500. */
  recycleAfterTasks?: number;
  /** False to start a child only for a waiting task; default true. */
  keepsWarm?: boolean;
  /**
   * Resident memory after a task above which a child is replaced; default 400 MB. Only the end of a
   * process returns the memory that libraries keep.
   */
  recycleAboveBytes?: number;
  /** Time between the abort message and SIGKILL; default 500. */
  graceMs?: number;
  /** Time within which a child must be ready; default 30,000. */
  startTimeoutMs?: number;
  /** Pause before the next try when a child could not be started; default 5000. */
  restartMs?: number;
  /** Called when a child died by itself or exceeded its time limit. */
  onFault?: (reason: ChildFault) => void;
}

interface Self {
  options: ChildPoolOptions;
  children: Set<WarmChild>;
  /** Children that were ordered to stop or found dead, and have not ended yet. */
  departures: Set<Promise<unknown>>;
  queue: TaskQueue;
  closed: boolean;
  hasWarnedUncapped: boolean;
  /** The error of the last start; null once a child is ready. */
  startFault: ChildStoppedError | null;
  restartTimer: NodeJS.Timeout | undefined;
  /** Called once, when a child is ready or the pool is closed. */
  startableListeners: (() => void)[];
}

/** Starts no child yet: that happens with the first tasks, or with `warm`. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  const self: Self = {
    options,
    children: new Set(),
    departures: new Set(),
    queue: createTaskQueue(),
    closed: false,
    hasWarnedUncapped: false,
    startFault: null,
    restartTimer: undefined,
    startableListeners: [],
  };
  return {
    run: (request, runOptions) => run(self, request, runOptions),
    warm: () => warm(self),
    get running() {
      return count(self, "busy");
    },
    get waiting() {
      return self.queue.length;
    },
    get startFault() {
      return cannotStart(self)?.message ?? null;
    },
    async untilStartable() {
      if (!cannotStart(self)) return;
      await new Promise<void>((resolve) => self.startableListeners.push(resolve));
    },
    close: () => close(self),
  };
}

function run(self: Self, request: unknown, options: RunOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (self.closed) return reject(closedError());
    const fault = cannotStart(self);
    if (fault) return reject(unavailable(fault));
    self.queue.join({ request, options, resolve, reject, bounced: 0 });
    advance(self);
  });
}

async function warm(self: Self): Promise<void> {
  while (mayStart(self)) start(self);
  await Promise.all([...self.children].map((child) => child.ready));
}

async function close(self: Self): Promise<void> {
  self.closed = true;
  clearTimeout(self.restartTimer);
  reportStartable(self);
  self.queue.refuseAll(closedError());
  for (const child of self.children) part(self, child);
  await Promise.all(self.departures);
}

/** Gives waiting tasks to idle children, and starts children for the rest. */
function advance(self: Self): void {
  for (const child of self.children) {
    if (child.state !== "idle") continue;
    const task = self.queue.next();
    if (task === undefined) return;
    void serve(self, child, task);
  }
  let missing = self.queue.length - count(self, "starting");
  while (missing-- > 0 && mayStart(self)) start(self);
}

async function serve(self: Self, child: WarmChild, task: WaitingTask): Promise<void> {
  try {
    task.resolve(await child.run(task.request, task.options));
  } catch (error) {
    // `follow` reports the death of a child when the process has ended.
    if (error instanceof ChildStoppedError && error.reason === "timeout")
      self.options.onFault?.("timeout");
    if (!(error instanceof NeverBegunError)) task.reject(error);
    else if (task.bounced > 0) task.reject(unavailable(error));
    else self.queue.rejoin({ ...task, bounced: 1 });
  }
  const { recycleAfterTasks = 500, recycleAboveBytes = 400_000_000 } = self.options;
  if (child.tasks >= recycleAfterTasks || child.rssBytes > recycleAboveBytes) part(self, child);
  advance(self);
}

function start(self: Self): void {
  const { entry, memoryLimitBytes, graceMs = 500, startTimeoutMs = 30_000, log } = self.options;
  const { niceness = 0 } = self.options;
  if (!canCap) warnUncapped(self);
  try {
    const child = new WarmChild({
      entry,
      memoryLimitBytes,
      graceMs,
      startTimeoutMs,
      log,
      niceness,
      onUncapped: () => warnUncapped(self),
    });
    self.children.add(child);
    void follow(self, child);
  } catch (error) {
    // spawn() itself throws when the system is short of memory.
    log.warn({ err: error }, "a child process could not be started");
    const message = `The child process could not be started: ${String(error)}.`;
    startFailed(self, new ChildStoppedError("unstartable", message, { cause: error }));
  }
}

async function follow(self: Self, child: WarmChild): Promise<void> {
  if (await child.ready) {
    reportStartable(self);
    advance(self);
  }
  const death = await child.gone;
  self.children.delete(child);
  if (death?.reason === "unstartable") return startFailed(self, death);
  if (death !== null && isFault(death.reason)) self.options.onFault?.(death.reason);
  if (child.tasks > 0) refill(self);
  advance(self);
}

/** Rejects the waiting tasks unless another child can run them, and tries again after a pause. */
function startFailed(self: Self, fault: ChildStoppedError): void {
  if (self.closed) return;
  self.options.onFault?.("unstartable");
  self.startFault = fault;
  if (cannotStart(self)) self.queue.refuseAll(unavailable(fault));
  self.restartTimer ??= setTimeout(() => {
    self.restartTimer = undefined;
    if (self.startFault && self.children.size < self.options.size) start(self);
  }, self.options.restartMs ?? 5000);
}

function reportStartable(self: Self): void {
  self.startFault = null;
  for (const listener of self.startableListeners.splice(0)) listener();
}

/** The start error, as long as no child works; else null. */
function cannotStart(self: Self): ChildStoppedError | null {
  return count(self, "idle") + count(self, "busy") > 0 ? null : self.startFault;
}

function mayStart(self: Self): boolean {
  return !self.closed && !self.startFault && self.children.size < self.options.size;
}

/** Ends a child and starts another one instead, unless the pool is closing. */
function part(self: Self, child: WarmChild): void {
  if (!self.children.delete(child)) return;
  child.leave();
  const departure = child.gone.finally(() => self.departures.delete(departure));
  self.departures.add(departure);
  refill(self);
}

function refill(self: Self): void {
  const { keepsWarm = true } = self.options;
  if (keepsWarm && mayStart(self)) start(self);
}

function count(self: Self, state: WarmChild["state"]): number {
  return [...self.children].filter((child) => child.state === state).length;
}

const isFault = (reason: ChildStopReason): reason is ChildFault =>
  reason !== "aborted" && reason !== "closed";

function warnUncapped(self: Self): void {
  if (self.hasWarnedUncapped) return;
  self.hasWarnedUncapped = true;
  self.options.log.warn(
    "child processes run without a memory limit: this system does not support one",
  );
}

function unavailable(cause: Error): ServiceUnavailableError {
  const message = "No process can be started for this work now; try again in a few seconds.";
  return new ServiceUnavailableError(message, { cause });
}

function closedError(): ChildStoppedError {
  return new ChildStoppedError(
    "closed",
    "The work was not started because the service is stopping.",
  );
}
