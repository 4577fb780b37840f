import type { Logger } from "../runtime/logger.js";
import { serializeError, restoreError } from "./serialized-error.js";
import type { ChildMessage, ParentMessage } from "./child-message.js";
import { ChildStoppedError, type ChildStopReason } from "./exit-reason.js";

export interface RunOptions {
  /** Time limit, counted from when a child receives the work, without the time in the queue. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((fraction: number, message?: string) => void) | undefined;
  /**
   * Checks the child's result and returns what the promise resolves to. The child is killed when
   * this throws.
   */
  parse?: ((result: unknown) => unknown) | undefined;
  /**
   * Answers the questions that the work asks by name; an error thrown here is thrown in the child.
   * When absent, the work may not ask.
   */
  onAsk?: ((name: string, argument: unknown) => Promise<unknown>) | undefined;
  /** Logger for the child's output and death, with the ids of the current work. */
  log?: Logger | undefined;
}

/** One task that one child runs, as the parent sees it. */
export interface ChildWork {
  /** Settles when the work has really stopped; until then the child may still be writing. */
  readonly promise: Promise<unknown>;
  receive(message: Exclude<ChildMessage, { type: "ready" }>): void;
  /** Asks the child to stop, and kills it when it does not. */
  stop(reason: ChildStopReason, message: string, cause?: unknown): void;
  /** Called when the child has ended. */
  die(death: ChildStoppedError): void;
}

/** Rejects a task whose child died before it started the task; another child may safely run it. */
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
  /** Kills a child that sent an invalid message; `die` is called afterwards. */
  condemn(error: unknown): void;
}

/** Sends `request` to an idle child and follows the work to its end. */
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
  function finish(answered: unknown): void {
    try {
      const result = options.parse ? options.parse(answered) : answered;
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
    if (onAsk === undefined) throw new Error(`The parent does not answer the question "${name}".`);
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
