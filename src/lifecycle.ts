import closeWithGrace from "close-with-grace";
import { ConfigError } from "./config.js";
import type { Logger } from "./logger.js";

/** Who opens, registers the closing: what was put here last is closed first. */
export interface ClosingStack {
  add(name: string, close: () => unknown): void;
}

/**
 * Runs `start` as a process that lives until a signal, a fault that nobody caught, or the end of its supervisor. It then
 * closes what is on the stack and exits: 0 after a signal, 1 after a fault, a second signal, or `deadlineMs`.
 */
export async function runProcess(options: { log: Logger; deadlineMs: number }, start: (stack: ClosingStack) => Promise<void>): Promise<void> {
  const { log } = options;
  const closings: { name: string; close: () => unknown }[] = [];
  let started: Promise<void> = Promise.resolve();

  const grace = closeWithGrace(
    {
      delay: options.deadlineMs,
      logger: false as unknown as undefined,
      onTimeout: () => log.error(`not closed within ${options.deadlineMs} ms: giving up`),
      onSecondSignal: (signal) => log.warn(`second ${signal}: exiting at once`),
      onSecondError: (error) => log.fatal({ err: error }, "another fault while closing: exiting at once"),
    },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, "a fault that nobody caught: closing");
      else log.info(signal ? `${signal}: closing` : "closing");
      // What is being opened must be on the stack before the stack is closed.
      await started.catch(() => {});
      await closeAll(closings, log);
    },
  );
  // The supervisor died: nobody else will stop us.
  process.once("disconnect", () => void grace.close());

  started = start({ add: (name, close) => closings.push({ name, close }) });
  try {
    await started;
  } catch (error) {
    tellFault(error, log);
    await closeAll(closings, log);
    process.exit(1);
  }
}

/** Runs a command that ends by itself; a fault is told and the process exits 1. */
export async function runCommand(command: () => Promise<void>, log: Logger | null = null): Promise<void> {
  try {
    await command();
  } catch (error) {
    tellFault(error, log);
    process.exitCode = 1;
  }
}

async function closeAll(closings: { name: string; close: () => unknown }[], log: Logger): Promise<void> {
  for (let last = closings.pop(); last; last = closings.pop()) {
    try {
      await last.close();
    } catch (error) {
      log.error({ err: error }, `${last.name} did not close`);
    }
  }
}

/** A fault of the configuration or of the place is told in its own words; all else is a bug and has a stack. */
function tellFault(error: unknown, log: Logger | null): void {
  const plain = error instanceof ConfigError || (error instanceof Error && error.name === "EmbeddedError");
  if (plain || !log) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  else log.fatal({ err: error }, "could not start");
}
