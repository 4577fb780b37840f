import { relative } from "node:path";
import type { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { LEFT_OUT } from "./long.js";

type Outcome = TestEvent["data"] & {
  name: string;
  skip?: string | boolean;
  file?: string;
  details: { duration_ms: number; type?: string | undefined };
};

interface Timed {
  name: string;
  ms: number;
}

export interface TestSummary {
  readonly failed: number;
  /** Paths of the files with failures. */
  readonly failedFiles: ReadonlySet<string>;
  /** Duration of each file's tests in milliseconds, by path. */
  readonly fileMs: ReadonlyMap<string, number>;
  /** @param recovered number of failures that did not recur when their files ran alone */
  render(recovered?: number): string;
}

/** Counts the results of a run, and finds the slowest files and tests. */
export function createTestSummary(events: ReturnType<typeof run>): TestSummary {
  let passed = 0;
  let failed = 0;
  const skipped = new Map<string, number>();
  const tests: Timed[] = [];
  const fileMs = new Map<string, number>();
  events.on("test:pass", (event) => count(event, () => passed++));
  const failedFiles = new Set<string>();
  events.on("test:fail", (event) =>
    count(event, () => {
      failed++;
      failedFiles.add(event.file ?? "");
    }),
  );
  // The runner also reports each process as a test that has the path as its name.
  events.on(
    "test:complete",
    ({ name, file, nesting, details }) =>
      void (
        file &&
        nesting === 0 &&
        name !== file &&
        fileMs.set(file, (fileMs.get(file) ?? 0) + details.duration_ms)
      ),
  );

  function count({ name, details, skip, file }: Outcome, add: () => void): void {
    // The runner reports no tests inside a skipped suite, so the suite counts as one.
    if (skip) skipped.set(String(skip), (skipped.get(String(skip)) ?? 0) + 1);
    if (skip || details.type === "suite") return;
    add();
    tests.push({
      name: `${relative(process.cwd(), file ?? "")}: ${name}`,
      ms: details.duration_ms,
    });
  }

  return {
    get failed() {
      return failed;
    },
    failedFiles,
    fileMs,
    render: (recovered = 0) =>
      render({
        passed: passed + recovered,
        failed: failed - recovered,
        skipped,
        tests,
        fileMs,
      }),
  };
}

interface Counts {
  passed: number;
  failed: number;
  /** Number of skipped tests by reason. */
  skipped: ReadonlyMap<string, number>;
  tests: Timed[];
  fileMs: ReadonlyMap<string, number>;
}

function render({ passed, failed, skipped, tests, fileMs }: Counts): string {
  const files = [...fileMs].map(([path, ms]) => ({ name: relative(process.cwd(), path), ms }));
  const reasons = [...skipped]
    .filter(([reason]) => reason !== LEFT_OUT)
    .map(([reason, times]) => `${times} NOT RUN: ${reason}`);
  const leftOut = skipped.get(LEFT_OUT) ?? 0;
  return [
    "",
    "The slowest files:",
    ...slowest(files),
    "",
    "The slowest tests:",
    ...slowest(tests),
    "",
    ...reasons,
    ...(leftOut > 0
      ? [`${leftOut} LONG TESTS WERE NOT RUN. LONG=1 npm test runs them, as npm run check does.`]
      : []),
    // The totals stay on the last line, where they are easy to find.
    `${passed} passed, ${failed} failed, ` +
      `${[...skipped.values()].reduce((sum, times) => sum + times, 0)} skipped`,
    "",
  ].join("\n");
}

const slowest = (list: Timed[]): string[] =>
  list
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, 10)
    .map(({ name, ms }) => `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${name}`);
