import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Settles as `work` does, or, when that has taken `ms`, as `late` does; the work goes on, and what
 * becomes of it is its own business.
 */
export function withTimeout<T, L>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  // By hand: a race would make four promises more, of each statement and each request.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void Promise.resolve().then(late).then(resolve, reject), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}

/** Of an operation that somebody waits for. */
export interface Deadline {
  /** Nobody waits any more. */
  readonly passed: boolean;
  /** Milliseconds until it passes. */
  left(): number;
  /** Calls back when it passes. */
  onPassed(action: () => void): void;
}

// By way of the asynchronous context, since as a parameter it would pass through every function
// between a request and its statements. An operation costs 36 µs more with its timer; see
// bench/load/lone-statements.
const deadlines = new AsyncLocalStorage<Deadline | undefined>();

/**
 * Settles as `work` does, or, when that has taken `ms`, as `late` does. Nobody waits for the rest
 * of it then: it begins no further statement, and the one that runs is cancelled.
 */
export function withDeadline<T, L>(
  work: () => Promise<T>,
  ms: number,
  late: () => L,
): Promise<T | L> {
  const actions: (() => void)[] = [];
  const end = performance.now() + ms;
  const deadline = {
    passed: false,
    left: () => end - performance.now(),
    onPassed: (action: () => void) => void actions.push(action),
  };
  return withTimeout(deadlines.run(deadline, work), ms, () => {
    deadline.passed = true;
    for (const action of actions) action();
    return late();
  });
}

/**
 * Does what others wait for as well, and which therefore ends with the deadline of none of them.
 */
export function withoutDeadline<T>(work: () => T): T {
  return deadlines.run(undefined, work);
}

/** Of what is under way here, if there is one. */
export function currentDeadline(): Deadline | undefined {
  return deadlines.getStore();
}
