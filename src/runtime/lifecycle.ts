import { constants } from "node:os";
import closeWithGrace from "close-with-grace";
import { ConfigError } from "./config.js";
import type { Logger } from "./logger.js";

/** Who opens, registers the closing: what was put here last is closed first. */
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
  /** Hastens the closing at a second signal; without it the process then exits at once. */
  hurry?: () => void;
}

type Start = (stack: ClosingStack, closing: AbortSignal) => Promise<void>;

/** Those by which a person or another program stops a process. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Signals within this time are one: a Ctrl-C reaches a script of npm from the terminal and from
 * npm.
 */
const ONE_SIGNAL_MS = 1000;

/**
 * Runs `start` as a process that lives until a signal, a fault that nobody caught, or the end of
 * its supervisor. It then closes what is on the stack and exits: 0 after a signal, 1 after a fault,
 * a second signal, or `deadlineMs`. `closing` is aborted when the process is to end, so that
 * `start` does not wait any longer.
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
    if (err) log.fatal({ err }, "a fault that nobody caught: closing");
    // What is being opened must be on the stack before the stack is closed.
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
  // The supervisor died: nobody else will stop us.
  process.once("disconnect", () => close("closing"));

  try {
    await (started = start(
      { add: (name, end) => closings.push({ name, close: end }) },
      closing.signal,
    ));
  } catch (error) {
    // A start that was given up for the closing is not a fault, and is closed there.
    if (closing.signal.aborted) return;
    closing.abort();
    tellFault(error, log);
    await closeOpened();
    process.exit(1);
  }
}

/** At a second signal. */
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
      log.fatal({ err: error }, "another fault while closing: exiting at once"),
  };
}

/** Calls `act` once for all signals that come as one. */
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
 * Runs a command that ends by itself or by a signal, and then closes what is on the stack; a fault
 * is told in a sentence, and the process exits 1.
 */
export async function runCommand(command: (stack: ClosingStack) => Promise<void>): Promise<void> {
  const closings: Closing[] = [];
  let stopped = false;
  function tell(error: unknown): void {
    // What fails because it was stopped is not a fault.
    if (!stopped) process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = 1;
  }
  onStopSignals((signal) => {
    const exit = () => process.exit(128 + constants.signals[signal]);
    if (stopped) exit();
    stopped = true;
    void closeAll(closings, () => {}).then(exit);
  });
  await command({ add: (name, close) => closings.push({ name, close }) }).catch(tell);
  await closeAll(closings, (_name, error) => tell(error));
}

async function closeAll(
  closings: Closing[],
  tellStuck: (name: string, error: unknown) => void,
): Promise<void> {
  for (let last = closings.pop(); last; last = closings.pop()) {
    try {
      await last.close();
    } catch (error) {
      tellStuck(last.name, error);
    }
  }
}

/**
 * A fault of the configuration or of the place is told in its own words; all else is a bug and has
 * a stack.
 */
function tellFault(error: unknown, log: Logger): void {
  const plain =
    error instanceof ConfigError || (error instanceof Error && error.name === "EmbeddedError");
  if (plain) process.stderr.write(`${sentenceOf(error)}\n`);
  else log.fatal({ err: error }, "could not start");
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
