import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { ChildStoppedError, type ChildStopReason } from "./exit-reason.js";
import { NeverBegunError, type RunOptions } from "./child-work.js";
import { canCap, WarmChild } from "./warm-child.js";
import { createTaskQueue, type TaskQueue, type WaitingTask } from "./task-queue.js";

// Why processes and not worker threads: a process can be killed in the middle of a decode and takes
// its memory with it. A thread's promise rejects while libvips computes on, and terminate() waits
// for it.

/** Child processes that stay warm and take one task at a time each, first come first served. */
export interface ChildPool {
  /**
   * The child's answer. Settles when the work has really stopped. Rejects with what the child threw
   * (the errors that a caller may be told keep class and code), or with ChildStoppedError. A death
   * costs only the task the child was at. While no child can be started it rejects with
   * ServiceUnavailableError: the task is not at fault.
   */
  run(request: unknown, options: RunOptions): Promise<unknown>;
  /**
   * Starts all children now, so that nobody waits for them later. Resolves when each is ready or
   * has failed to start.
   */
  warm(): Promise<void>;
  readonly running: number;
  readonly waiting: number;
  /** Why no child can be started at present; null while one can, or one is there. */
  readonly startFault: string | null;
  /**
   * Resolves when a child is ready again, which is tried every few seconds, or the pool is closed.
   */
  untilStartable(): Promise<void>;
  /** Refuses what waits, stops what runs, and resolves when no child is left. */
  close(): Promise<void>;
}

export type ChildFault = Exclude<ChildStopReason, "aborted" | "closed">;

export interface ChildPoolOptions {
  /** The compiled module that the children run; it calls serveChild. */
  entry: URL;
  /** Children at most. */
  size: number;
  /** Of each child: what a decode may take before it fails. Has an effect on Linux only. */
  memoryLimitBytes: number;
  log: Logger;
  /** A child is replaced after so many tasks; 500. */
  recycleAfterTasks?: number;
  /**
   * Or when a task leaves it with more resident memory; 400 MB. What libraries hold on to is given
   * back only so.
   */
  recycleAboveBytes?: number;
  /** Between the order to stop and SIGKILL; 500. */
  graceMs?: number;
  /** Until a child must be ready; 30,000. */
  startTimeoutMs?: number;
  /** After a child could not be started, until the next try; 5000. */
  restartMs?: number;
  /** A child died of itself, or was stopped because its time was up. */
  onFault?: (reason: ChildFault) => void;
}

interface Self {
  options: ChildPoolOptions;
  children: Set<WarmChild>;
  /** Told to go, or found dead, and not yet gone. */
  partings: Set<Promise<unknown>>;
  line: TaskQueue;
  closed: boolean;
  toldUncapped: boolean;
  /** How the last start failed; null once a child is ready. */
  startFault: ChildStoppedError | null;
  restartTimer: NodeJS.Timeout | undefined;
  /** Called once, when a child is ready or the pool is closed. */
  startableListeners: (() => void)[];
}

/** Starts nothing yet: children come with the first tasks, or with `warm`. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  const self: Self = {
    options,
    children: new Set(),
    partings: new Set(),
    line: createTaskQueue(),
    closed: false,
    toldUncapped: false,
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
      return self.line.length;
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
    self.line.join({ request, options, resolve, reject, bounced: 0 });
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
  self.line.refuseAll(closedError());
  for (const child of self.children) part(self, child);
  await Promise.all(self.partings);
}

/** Gives what waits to whoever is idle, and starts children for the rest. */
function advance(self: Self): void {
  for (const child of self.children) {
    if (child.state !== "idle") continue;
    const task = self.line.next();
    if (task === undefined) return;
    void serve(self, child, task);
  }
  let wanted = self.line.length - count(self, "starting");
  while (wanted-- > 0 && mayStart(self)) start(self);
}

async function serve(self: Self, child: WarmChild, task: WaitingTask): Promise<void> {
  try {
    task.resolve(await child.run(task.request, task.options));
  } catch (error) {
    // Its own death is told when it is gone.
    if (error instanceof ChildStoppedError && error.reason === "timeout")
      self.options.onFault?.("timeout");
    if (!(error instanceof NeverBegunError)) task.reject(error);
    else if (task.bounced > 0) task.reject(unavailable(error));
    else self.line.rejoin({ ...task, bounced: 1 });
  }
  const { recycleAfterTasks = 500, recycleAboveBytes = 400_000_000 } = self.options;
  if (child.tasks >= recycleAfterTasks || child.rssBytes > recycleAboveBytes) part(self, child);
  advance(self);
}

function start(self: Self): void {
  const { entry, memoryLimitBytes, graceMs = 500, startTimeoutMs = 30_000, log } = self.options;
  if (!canCap) tellUncapped(self);
  try {
    const child = new WarmChild({
      entry,
      memoryLimitBytes,
      graceMs,
      startTimeoutMs,
      log,
      onUncapped: () => tellUncapped(self),
    });
    self.children.add(child);
    void follow(self, child);
  } catch (error) {
    // Short of memory, spawning itself throws.
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

/** What waits is refused unless another child is there for it. The next try comes after a pause. */
function startFailed(self: Self, fault: ChildStoppedError): void {
  if (self.closed) return;
  self.options.onFault?.("unstartable");
  self.startFault = fault;
  if (cannotStart(self)) self.line.refuseAll(unavailable(fault));
  self.restartTimer ??= setTimeout(() => {
    self.restartTimer = undefined;
    if (self.startFault && self.children.size < self.options.size) start(self);
  }, self.options.restartMs ?? 5000);
}

function reportStartable(self: Self): void {
  self.startFault = null;
  for (const listener of self.startableListeners.splice(0)) listener();
}

/** The fault while it leaves the pool without a child that works. */
function cannotStart(self: Self): ChildStoppedError | null {
  return count(self, "idle") + count(self, "busy") > 0 ? null : self.startFault;
}

function mayStart(self: Self): boolean {
  return !self.closed && !self.startFault && self.children.size < self.options.size;
}

/** Ends a child and, unless all is ending, puts another in its place. */
function part(self: Self, child: WarmChild): void {
  if (!self.children.delete(child)) return;
  child.leave();
  const parting = child.gone.finally(() => self.partings.delete(parting));
  self.partings.add(parting);
  refill(self);
}

function refill(self: Self): void {
  if (mayStart(self)) start(self);
}

function count(self: Self, state: WarmChild["state"]): number {
  return [...self.children].filter((child) => child.state === state).length;
}

const isFault = (reason: ChildStopReason): reason is ChildFault =>
  reason !== "aborted" && reason !== "closed";

function tellUncapped(self: Self): void {
  if (self.toldUncapped) return;
  self.toldUncapped = true;
  self.options.log.warn("child processes run without a memory cap: this system does not offer one");
}

function unavailable(cause: Error): ServiceUnavailableError {
  const message = "No process can be started for this work at present; try again in a moment.";
  return new ServiceUnavailableError(message, { cause });
}

function closedError(): ChildStoppedError {
  return new ChildStoppedError("closed", "The work was not begun because the service is stopping.");
}
