/** Simulates a lost connection: nothing connects between `pull` and `push`. */
export interface Plug {
  pull(ms: number): void;
  push(): void;
  /** Resolves when the next attempt to connect is due, after `retries` failed attempts. */
  nextTry(retries: number): Promise<void>;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

export function createPlug(): Plug {
  let out: { promise: Promise<void>; push: () => void } | null = null;
  const push = (): void => {
    out?.push();
    out = null;
  };
  return {
    push,
    pull(ms) {
      const { promise, resolve } = withResolve();
      const timer = setTimeout(push, ms);
      out = {
        promise,
        push: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    },
    nextTry: (retries) =>
      out?.promise ?? pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** retries)),
  };
}

function withResolve(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
