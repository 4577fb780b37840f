import type { ChildProcess } from "node:child_process";
import type { Logger } from "../runtime/logger.js";
import { childMessage, type ParentMessage } from "./child-message.js";
import { ChildStoppedError } from "./child-stopped-error.js";
import { startChildWork, type ChildWork, type RunOptions } from "./child-work.js";
import { describeDeath } from "./describe-death.js";
import { spawnChild, UNCAPPED } from "./spawn-child.js";

/** One child process that takes one task at a time. */
export interface WarmChild {
  /** `starting` until it says that it can take work; `gone` once it is dead or told to go. */
  readonly state: "starting" | "idle" | "busy" | "gone";
  /** Taken so far. */
  readonly tasks: number;
  /** Resident memory after the last task; 0 before. */
  readonly rssBytes: number;
  /** Resolves to true when it can take work, to false when it died before. */
  readonly ready: Promise<boolean>;
  /** Resolves when the process is gone: to the reason, or to null when it was asked to go. */
  readonly gone: Promise<ChildStoppedError | null>;
  /** Only when idle. Rejects with ChildStoppedError, NeverBegunError, or what the child threw. */
  run(request: unknown, options: RunOptions): Promise<unknown>;
  /** Ends it; a busy one is asked to stop first. */
  leave(): void;
}

export interface WarmChildOptions {
  entry: URL;
  memoryLimitBytes: number;
  /** How long a child that is told to stop may take before it is killed. */
  graceMs: number;
  /** How long it may take until it says that it is ready. */
  startTimeoutMs: number;
  log: Logger;
  /** The system refused the memory cap; the child runs without. */
  onUncapped(): void;
}

interface Self {
  process: ChildProcess;
  graceMs: number;
  state: WarmChild["state"];
  tasks: number;
  rssBytes: number;
  work: ChildWork | null;
  /** Of what it is at; between two tasks the pool's. */
  log: Logger;
  leaving: boolean;
  wasReady: boolean;
  /** Why it was killed, where its own end would not tell. */
  verdict: ChildStoppedError | null;
}

const STDERR_KEPT = 4096;

/** Starts a child process at once. Throws what the system throws that has no room for another. */
export function createWarmChild(options: WarmChildOptions): WarmChild {
  const process = spawnChild(options.entry, options.memoryLimitBytes);
  const self: Self = {
    process,
    graceMs: options.graceMs,
    state: "starting",
    tasks: 0,
    rssBytes: 0,
    work: null,
    log: options.log,
    leaving: false,
    wasReady: false,
    verdict: null,
  };
  const gone = untilGone(self, options);
  const ready = Promise.race([untilReady(self, options.startTimeoutMs), gone.then(() => false)]);
  process.on("message", (said) => hear(self, said));
  return {
    get state() {
      return self.state;
    },
    get tasks() {
      return self.tasks;
    },
    get rssBytes() {
      return self.rssBytes;
    },
    ready,
    gone,
    run: (request, runOptions) =>
      run(self, request, runOptions).finally(() => (self.log = options.log)),
    leave: () => leave(self),
  };
}

function hear(self: Self, said: unknown): void {
  const { data: message, error } = childMessage.safeParse(said);
  if (error) return condemn(self, error);
  // What it says of a task before is late.
  if (message.type === "ready" || message.id !== self.tasks) return;
  if ("rssBytes" in message) self.rssBytes = message.rssBytes;
  self.work?.hear(message);
}

/** It says what no child of ours says: a photo may have taken it over. */
function condemn(self: Self, cause: unknown): void {
  const message = "The child process said what it may not.";
  self.verdict ??= new ChildStoppedError("crashed", message, { cause });
  self.state = "gone";
  self.process.kill("SIGKILL");
}

async function run(self: Self, request: unknown, options: RunOptions): Promise<unknown> {
  self.state = "busy";
  self.log = options.log ?? self.log;
  // A send that fails is of a channel that is closed: the process is ending, and its end is
  // handled.
  const send = (message: ParentMessage) => void self.process.send(message, () => {});
  self.work = startChildWork({
    id: ++self.tasks,
    request,
    options,
    graceMs: self.graceMs,
    send,
    kill: () => kill(self),
    condemn: (error) => condemn(self, error),
  });
  try {
    return await self.work.promise;
  } finally {
    self.work = null;
    if (self.state === "busy") self.state = "idle";
  }
}

function leave(self: Self): void {
  self.leaving = true;
  self.state = "gone";
  if (self.work === null) return kill(self);
  self.work.stop("closed", "The work was stopped because the service is stopping.");
  const end = () => kill(self);
  self.work.promise.then(end, end);
}

function kill(self: Self): void {
  self.leaving = true;
  self.state = "gone";
  self.process.kill("SIGKILL");
}

function untilReady(self: Self, startTimeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      self.verdict = new ChildStoppedError(
        "crashed",
        `The child process was not ready after ${startTimeoutMs} ms.`,
      );
      self.process.kill("SIGKILL");
    }, startTimeoutMs);
    self.process.once("exit", () => clearTimeout(timer));
    self.process.once("message", (said) => {
      if (!childMessage.safeParse(said).success) return;
      clearTimeout(timer);
      self.wasReady = true;
      if (self.state === "starting") self.state = "idle";
      resolve(true);
    });
  });
}

async function untilGone(self: Self, options: WarmChildOptions): Promise<ChildStoppedError | null> {
  const readStderr = keepTail(self, options.onUncapped);
  await new Promise<void>((resolve) => {
    // `close`, not `exit`: an answer may still lie in the channel when the process has ended.
    self.process.once("close", () => resolve());
    self.process.on("error", (error) => {
      if (self.process.pid !== undefined) return; // A message that did not get through; the end follows.
      self.verdict = new ChildStoppedError(
        "crashed",
        `The child process could not be started: ${error.message}.`,
        { cause: error },
      );
      resolve();
    });
  });
  const { pid, exitCode, signalCode } = self.process;
  const own =
    self.verdict ?? describeDeath({ code: exitCode, signal: signalCode, stderr: readStderr() });
  const unstartable = () => new ChildStoppedError("unstartable", own.message, { cause: own.cause });
  const death = self.wasReady ? own : unstartable();
  self.state = "gone";
  const about = { err: death.cause, childPid: pid, reason: death.reason, stderr: readStderr() };
  if (!self.leaving) self.log.warn(about, death.message);
  self.work?.die(death);
  return self.leaving ? null : death;
}

function keepTail(self: Self, onUncapped: () => void): () => string {
  let tail = "";
  self.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
    self.log.debug(
      { childPid: self.process.pid, stderr: text.slice(0, STDERR_KEPT) },
      "a child wrote",
    );
    tail = (tail + text).slice(-STDERR_KEPT);
    if (!tail.includes(UNCAPPED)) return;
    tail = tail.replace(UNCAPPED, "");
    onUncapped();
  });
  return () => tail.trim();
}
