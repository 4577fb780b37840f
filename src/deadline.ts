import { AsyncLocalStorage } from "node:async_hooks";
import { withPatience } from "./patience.js";

const signals = new AsyncLocalStorage<AbortSignal | undefined>();

/**
 * Settles as `work` does, or, when that has taken `ms`, as `late` does. Nobody waits for the rest of it then: it begins no
 * further statement, and the one that runs is cancelled.
 */
export function withDeadline<T, L>(work: () => Promise<T>, ms: number, late: () => L): Promise<T | L> {
  const controller = new AbortController();
  return withPatience(signals.run(controller.signal, work), ms, () => {
    controller.abort();
    return late();
  });
}

/** Does what others wait for as well, and which therefore ends with the deadline of none of them. */
export function withoutDeadline<T>(work: () => T): T {
  return signals.run(undefined, work);
}

/** Of what is under way here: aborted once nobody waits for it any more. Undefined where there is no deadline. */
export function deadlineSignal(): AbortSignal | undefined {
  return signals.getStore();
}
