// A process with a busy pool, for tests that kill it. It prints the pids of its children as one
// JSON line.

import { createLoggerTo } from "../../src/runtime/logger.js";
import { createChildPool } from "../../src/child-pool/child-pool.js";
import type { TestRequest } from "./unruly-child.js";

const pool = createChildPool({
  entry: new URL("unruly-child.js", import.meta.url),
  size: 2,
  memoryLimitBytes: 1_500_000_000,
  log: createLoggerTo({ write: () => {} }),
});
const pids = await Promise.all(
  ["wait", "spin"].map((action) => start({ do: action } as TestRequest)),
);
process.stdout.write(`${JSON.stringify(pids)}\n`);

function start(request: TestRequest): Promise<number> {
  return new Promise((resolve) => {
    const onProgress = (_fraction: number, message = "") =>
      resolve(Number(message.replace("pid ", "")));
    void pool.run(request, { timeoutMs: 600_000, onProgress });
  });
}
