import { constants } from "node:os";
import closeWithGrace from "close-with-grace";
import { ConfigError } from "./config.js";
import type { Logger } from "./logger.js";

/** Closers, registered by the code that opened the resource. The last one added is closed first. */
export interface ClosingStack {
  add(name: string, close: () => unknown): void;
}

interface Closing {
  name: string;
  close: () => unknown;
}

export interface ProcessOptions {
  log: Logger;
  deadlineMs: number;
  /** Speeds up closing at a second signal; without it the process exits at once. */
  hurry?: () => void;
}

type Start = (stack: ClosingStack, closing: AbortSignal) => Promise<void>;

/** Signals with which a person or another program stops a process. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Signals within this time count as one. With npm scripts, Ctrl-C arrives twice: from the terminal
 * and from npm.
 */
const ONE_SIGNAL_MS = 1000;

/**
 * Runs `start` as a process that lives until a signal, an uncaught error, or its supervisor's exit.
 * It then closes what is on the stack. The exit code is 0 after a signal, and 1 after an error, a
 * second signal, or `deadlineMs`. `closing` is aborted when the process must end, so that `start`
 * stops waiting.
 */
export async function runProcess(options: ProcessOptions, start: Start): Promise<void> {
  const { log } = options;
  const closings: Closing[] = [];
  const closing = new AbortController();
  const closeOpened = () =>
    closeAll(closings, (name, error) => log.error({ err: error }, `${name} did not close`));
  let started: Promise<void> = Promise.resolve();

  const grace = closeWithGrace(graceOf(options), async ({ err }) => {
    closing.abort();
    if (err) log.fatal({ err }, "uncaught error: closing");
    // A resource that is being opened must be on the stack before the stack is closed.
    await started.catch(() => {});
    await closeOpened();
  });

  function close(why: string): void {
    if (closing.signal.aborted) return;
    log.info(why);
    void grace.close();
  }
  onStopSignals((signal) =>
    closing.signal.aborted ? hasten(signal, options) : close(`${signal}: closing`),
  );
  // The supervisor has died, so no signal will arrive.
  process.once("disconnect", () => close("closing"));

  try {
    await (started = start(
      { add: (name, end) => closings.push({ name, close: end }) },
      closing.signal,
    ));
  } catch (error) {
    // If closing aborted the start, this is not an error, and the closing above handles it.
    if (closing.signal.aborted) return;
    closing.abort();
    reportFault(error, log);
    await closeOpened();
    process.exit(1);
  }
}

function hasten(signal: NodeJS.Signals, { log, hurry }: ProcessOptions): void {
  log.warn(`second ${signal}: ${hurry ? "closing" : "exiting"} at once`);
  if (!hurry) process.exit(1);
  process.once("exit", () => (process.exitCode = 1));
  hurry();
}

function graceOf({ log, deadlineMs }: ProcessOptions): closeWithGrace.Options {
  return {
    delay: deadlineMs,
    skip: [...STOP_SIGNALS],
    logger: false,
    onTimeout: () => log.error(`not closed within ${deadlineMs} ms: giving up`),
    onSecondSignal: (signal) => log.warn(`second ${signal}: exiting at once`),
    onSecondError: (error) =>
      log.fatal({ err: error }, "another error while closing: exiting at once"),
  };
}

/** Calls `act` once for signals that arrive together. */
function onStopSignals(act: (signal: NodeJS.Signals) => void): void {
  let last = -Infinity;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (performance.now() - last < ONE_SIGNAL_MS) return;
      last = performance.now();
      act(signal);
    });
  }
}

/**
 * Runs a command that ends by itself or by a signal, and then closes what is on the stack. An error
 * is printed as a sentence, and the exit code is 1.
 */
export async function runCommand(command: (stack: ClosingStack) => Promise<void>): Promise<void> {
  const closings: Closing[] = [];
  let stopped = false;
  function report(error: unknown): void {
    // After a signal, a failure is expected.
    if (!stopped) process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = 1;
  }
  onStopSignals((signal) => {
    const exit = () => process.exit(128 + constants.signals[signal]);
    if (stopped) exit();
    stopped = true;
    void closeAll(closings, () => {}).then(exit);
  });
  await command({ add: (name, close) => closings.push({ name, close }) }).catch(report);
  await closeAll(closings, (_name, error) => report(error));
}

async function closeAll(
  closings: Closing[],
  reportStuck: (name: string, error: unknown) => void,
): Promise<void> {
  for (let last = closings.pop(); last; last = closings.pop()) {
    try {
      await last.close();
    } catch (error) {
      reportStuck(last.name, error);
    }
  }
}

/**
 * Faults of the configuration or the environment are printed as sentences. Any other error is a bug
 * and is logged with its stack.
 */
function reportFault(error: unknown, log: Logger): void {
  const plain =
    error instanceof ConfigError || (error instanceof Error && error.name === "EmbeddedError");
  if (plain) process.stderr.write(`${sentenceOf(error)}\n`);
  else log.fatal({ err: error }, "could not start");
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
