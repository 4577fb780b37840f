import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Settles as `work` does, or as `late` does after `ms`. The work continues, but its outcome is
 * ignored.
 */
export function withTimeout<T, L>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  // Promise.race would create four more promises for each statement and each request.
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

/** The deadline of an operation whose caller waits for it. */
export interface Deadline {
  /** True when the caller no longer waits. */
  readonly passed: boolean;
  /** Returns the milliseconds until it passes. */
  left(): number;
  /** Calls back when it passes. */
  onPassed(action: () => void): void;
}

// The deadline travels in the asynchronous context. As a parameter it would pass through every
// function between a request and its statements. Its timer costs 36 µs per operation; see
// bench/load/lone-statements.
const deadlines = new AsyncLocalStorage<Deadline | undefined>();

/**
 * Settles as `work` does, or as `late` does after `ms`. The work then starts no further statement,
 * and the running one is cancelled.
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

/** Runs work that other operations also wait for, so that no single deadline ends it. */
export function withoutDeadline<T>(work: () => T): T {
  return deadlines.run(undefined, work);
}

/** True unless the deadline of the current operation is less than `ms` away. */
export function hasTimeFor(ms: number): boolean {
  return (currentDeadline()?.left() ?? Infinity) >= ms;
}

/** Returns the deadline of the current operation, if it has one. */
export function currentDeadline(): Deadline | undefined {
  return deadlines.getStore();
}
