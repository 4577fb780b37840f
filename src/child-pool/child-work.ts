import type { Logger } from "../runtime/logger.js";
import { serializeError, restoreError } from "./serialized-error.js";
import type { ChildMessage, ParentMessage } from "./child-message.js";
import { ChildStoppedError, type ChildStopReason } from "./exit-reason.js";

export interface RunOptions {
  /** Counted from when a child takes the work, not while it waits in line. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((fraction: number, message?: string) => void) | undefined;
  /** Checks the child's answer and returns the promise's. When it throws, the child is killed. */
  parse?: ((result: unknown) => unknown) | undefined;
  /**
   * Answers what the work asks by name; what this throws is what the work's question throws.
   * Absent: it may ask nothing.
   */
  onAsk?: ((name: string, argument: unknown) => Promise<unknown>) | undefined;
  /** Where to tell what the child says and how it dies: with the ids of what it is at. */
  log?: Logger | undefined;
}

/** One task in the hands of one child, as its parent sees it. */
export interface ChildWork {
  /** Settles when the work has really stopped: until then the child may still be writing. */
  readonly promise: Promise<unknown>;
  receive(message: Exclude<ChildMessage, { type: "ready" }>): void;
  /** Asks the child to stop, and has it killed when it does not. */
  stop(reason: ChildStopReason, message: string, cause?: unknown): void;
  /** The child is gone. */
  die(death: ChildStoppedError): void;
}

/** Rejects a task whose child had died before it took the work up: harmless to try on another. */
export class NeverBegunError extends Error {
  override readonly name = "NeverBegunError";
}

interface ChildWorkDeps {
  id: number;
  request: unknown;
  options: RunOptions;
  graceMs: number;
  send(message: ParentMessage): void;
  kill(): void;
  /** Kills a child that says what no child of ours says; `die` follows. */
  condemn(error: unknown): void;
}

/** Sends `request` to an idle child and follows it to its end. */
export function startChildWork(deps: ChildWorkDeps): ChildWork {
  const { id, options, send } = deps;
  const { promise, resolve, reject } = withResolvers();
  let begun = false;
  let stopped: ChildStoppedError | null = null;
  let graceTimer: NodeJS.Timeout | undefined;

  function stop(reason: ChildStopReason, message: string, cause?: unknown): void {
    if (stopped !== null) return;
    stopped = new ChildStoppedError(reason, message, { cause });
    send({ type: "abort", id });
    graceTimer = setTimeout(deps.kill, deps.graceMs);
  }
  function receive(message: Exclude<ChildMessage, { type: "ready" }>): void {
    if (message.type === "begun") begun = true;
    else if (message.type === "progress") options.onProgress?.(message.fraction, message.message);
    else if (message.type === "ask") void answer(message, options.onAsk).then(send);
    else if (stopped !== null) settle(() => reject(stopped));
    else if (message.type === "done") finish(message.result);
    else settle(() => reject(restoreError(message.error)));
  }
  function finish(given: unknown): void {
    try {
      const result = options.parse ? options.parse(given) : given;
      settle(() => resolve(result));
    } catch (error) {
      deps.condemn(error);
    }
  }
  function settle(how: () => void): void {
    clearTimeout(timer);
    clearTimeout(graceTimer);
    options.signal?.removeEventListener("abort", onAbort);
    how();
  }
  const onAbort = () => stop("aborted", "The work was aborted.", options.signal?.reason);
  const timer = setTimeout(
    () => stop("timeout", `The work took longer than ${options.timeoutMs} ms.`),
    options.timeoutMs,
  );
  options.signal?.addEventListener("abort", onAbort, { once: true });
  send({ type: "run", id, request: deps.request });
  const die = (death: ChildStoppedError) =>
    settle(() => reject(stopped ?? (begun ? death : new NeverBegunError(death.message))));
  return { promise, receive, stop, die };
}

async function answer(
  { question, name, argument }: Extract<ChildMessage, { type: "ask" }>,
  onAsk: RunOptions["onAsk"],
): Promise<ParentMessage> {
  try {
    if (onAsk === undefined) throw new Error(`Nobody here answers "${name}".`);
    return { type: "answer", question, outcome: { result: await onAsk(name, argument) } };
  } catch (error) {
    return { type: "answer", question, outcome: { error: serializeError(error) } };
  }
}

const notYet: (value: unknown) => void = () => {};

function withResolvers() {
  let resolve = notYet;
  let reject = notYet;
  const promise = new Promise<unknown>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
