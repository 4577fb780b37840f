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

/**
 * Runs `start` as a process that lives until a signal, a fault that nobody caught, or the end of its supervisor. It then
 * closes what is on the stack and exits: 0 after a signal, 1 after a fault, a second signal, or `deadlineMs`.
 */
export async function runProcess(options: { log: Logger; deadlineMs: number }, start: (stack: ClosingStack) => Promise<void>): Promise<void> {
  const { log } = options;
  const closings: Closing[] = [];
  const tellStuck = (name: string, error: unknown) => log.error({ err: error }, `${name} did not close`);
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
      await closeAll(closings, tellStuck);
    },
  );
  // The supervisor died: nobody else will stop us.
  process.once("disconnect", () => void grace.close());

  started = start({ add: (name, close) => closings.push({ name, close }) });
  try {
    await started;
  } catch (error) {
    tellFault(error, log);
    await closeAll(closings, tellStuck);
    process.exit(1);
  }
}

/** Runs a command that ends by itself, and then closes what is on the stack; a fault is told in a sentence, and the process exits 1. */
export async function runCommand(command: (stack: ClosingStack) => Promise<void>): Promise<void> {
  const closings: Closing[] = [];
  function tell(error: unknown): void {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = 1;
  }
  await command({ add: (name, close) => closings.push({ name, close }) }).catch(tell);
  await closeAll(closings, (_name, error) => tell(error));
}

async function closeAll(closings: Closing[], tellStuck: (name: string, error: unknown) => void): Promise<void> {
  for (let last = closings.pop(); last; last = closings.pop()) {
    try {
      await last.close();
    } catch (error) {
      tellStuck(last.name, error);
    }
  }
}

/** A fault of the configuration or of the place is told in its own words; all else is a bug and has a stack. */
function tellFault(error: unknown, log: Logger): void {
  const plain = error instanceof ConfigError || (error instanceof Error && error.name === "EmbeddedError");
  if (plain) process.stderr.write(`${sentenceOf(error)}\n`);
  else log.fatal({ err: error }, "could not start");
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
