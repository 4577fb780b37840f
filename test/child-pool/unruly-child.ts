// A child that does what a test requests, including crashes.

import { setTimeout as wait } from "node:timers/promises";
import {
  PermanentTaskError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  TaskFailedError,
} from "../../src/domain/errors.js";
import { serveChild, type ChildTools } from "../../src/child-pool/serve-child.js";

export type TestRequest =
  | { do: "answer"; value: unknown }
  | { do: "report"; fractions: number[] }
  | { do: "ask"; name: string; argument: unknown }
  | { do: "environment" }
  | { do: "fail"; how: "unreadable" | "too large" | "permanent" | "failed" | "plain" }
  /** Stops when it is aborted. */
  | { do: "wait" }
  /** Ignores every message and never ends. */
  | { do: "spin" }
  | { do: "die"; signal: NodeJS.Signals }
  | { do: "exit"; code: number }
  | { do: "fill memory" }
  | { do: "exhaust heap" };

const actions: {
  [Kind in TestRequest["do"]]: (
    request: Extract<TestRequest, { do: Kind }>,
    tools: ChildTools,
  ) => unknown;
} = {
  answer: ({ value }) => ({ value, pid: process.pid }),
  report: ({ fractions }, { progress }) =>
    fractions.forEach((fraction) => progress(fraction, `at ${fraction}`)),
  ask: async ({ name, argument }, { ask }) => ({
    value: await ask(name, argument),
    pid: process.pid,
  }),
  environment: () => ({ names: Object.keys(process.env).sort(), pid: process.pid }),
  fail({ how }) {
    if (how === "unreadable") throw new PhotoUnreadableError("It is damaged.");
    if (how === "too large") throw new PhotoTooLargeError("It is huge.");
    if (how === "failed") throw new TaskFailedError("Not this time.");
    if (how === "permanent") throw new PermanentTaskError("NO_INK", "The ink is used up.");
    throw new TypeError("It is a bug.");
  },
  wait: (_request, { signal }) => wait(600_000, undefined, { signal }),
  spin() {
    for (;;) Math.random();
  },
  async die({ signal }) {
    process.kill(process.pid, signal);
    await wait(600_000);
  },
  exit: ({ code }) => process.exit(code),
  "fill memory"() {
    const held: Buffer[] = [];
    while (held.length < 150) held.push(Buffer.alloc(10_000_000, 1));
    return held.length;
  },
  "exhaust heap"() {
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
  },
};

serveChild(async (request, tools) => {
  const typed = request as TestRequest;
  const action = actions[typed.do] as (request: TestRequest, tools: ChildTools) => unknown;
  tools.progress(0, `pid ${process.pid}`);
  return action(typed, tools);
});
