import { UnreachableError } from "../errors.js";

/** The calls of a client that are running; an AbortSignal warns in Node.js about many listeners. */
export interface Running {
  /** Null until the client is closed. */
  closedBy: Error | null;
  controllers: Set<AbortController>;
}

/**
 * Runs the work with a signal that is aborted with the given one, with the client, and after the
 * time, which `renew` starts again. By hand, because AbortSignal.any() keeps its dependents alive
 * in some runtimes.
 */
export async function withSignal<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, renew: () => void) => Promise<T>,
  { running, timeoutMs }: { running?: Running; timeoutMs?: number } = {},
): Promise<T> {
  if (running?.closedBy) throw running.closedBy;
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  running?.controllers.add(controller);
  let timer: ReturnType<typeof setTimeout> | undefined;
  function renew(): void {
    clearTimeout(timer);
    if (timeoutMs) timer = setTimeout(() => controller.abort(new UnreachableError()), timeoutMs);
  }
  renew();
  try {
    return await work(controller.signal, renew);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    running?.controllers.delete(controller);
  }
}
