import { readFileSync } from "node:fs";
import { applyMutation, type Mutation } from "./find-mutations.js";
import type { Lane } from "./lane.js";
import { createNearestTests, type TestFile } from "./nearest-tests.js";
import { shareAmong } from "./stage.js";

/** Maximum duration of one mutation's tests: by their last runs, and now. */
const BUDGET_MS = 90_000;
const LONGEST_MS = 180_000;

interface Verdict {
  /** The failing test; null if none failed. */
  by: string | null;
  /** Number of test files that ran. */
  ran: number;
}

/** Makes the changes one at a time and prints which test detects each, if any. */
export async function runDrawn(
  lanes: Lane[],
  mutations: Mutation[],
  say: (line: string) => void,
): Promise<void> {
  const nearest = createNearestTests();
  const green = createGreenCheck();
  let noticed = 0;
  await shareAmong(lanes, mutations, async (lane, mutation) => {
    const startedAt = Date.now();
    const { by, ran } = await judge(lane, mutation, nearest(mutation, BUDGET_MS), green);
    if (by !== null) noticed++;
    const { file, line, operator, before, after } = mutation;
    const change =
      operator === "return" && before === "" ? `${after}at the beginning` : `${before} → ${after}`;
    const outcome = by === null ? `by none of ${ran} files of tests` : `by ${by}`;
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    say(
      `${by === null ? "ALIVE  " : "noticed"} ${file}:${line} ${operator}: ${change} · ` +
        `${outcome} (${seconds} s)`,
    );
  });
  say(`\n${noticed} of ${mutations.length} were noticed`);
}

async function judge(
  lane: Lane,
  mutation: Mutation,
  tests: TestFile[],
  green: GreenCheck,
): Promise<Verdict> {
  const mutated = applyMutation(mutation, readFileSync(mutation.file, "utf8"));
  const deadline = Date.now() + LONGEST_MS;
  for (let ran = 0; ran < tests.length;) {
    const rest = tests.slice(ran);
    const red = await lane.with(mutation.file, mutated, () => firstRedOf(lane, rest, deadline));
    ran += red === null ? rest.length : red.index + 1;
    if (red?.name === undefined) return { by: null, ran: tests.length };
    const { path } = rest[red.index] ?? { path: "" };
    // A test that also fails without the mutation has detected nothing.
    if (await green.check(lane, path)) return { by: `${path}: ${red.name}`, ran };
  }
  return { by: null, ran: tests.length };
}

/** The files run one by one, so that the failing one is known. */
async function firstRedOf(
  lane: Lane,
  tests: TestFile[],
  deadline: number,
): Promise<{ index: number; name: string } | null> {
  for (const [index, { path }] of tests.entries()) {
    if (Date.now() > deadline) return null;
    const name = await lane.firstRed([compiled(path)]);
    if (name !== null)
      return { index, name: name.endsWith(".test.js") ? "the file fails as a whole" : name };
  }
  return null;
}

interface GreenCheck {
  /** Returns true if the file passes without a mutation; the result is cached. */
  check(lane: Lane, path: string): Promise<boolean>;
}

function createGreenCheck(): GreenCheck {
  const results = new Map<string, Promise<boolean>>();
  return {
    check(lane, path) {
      const result =
        results.get(path) ?? lane.firstRed([compiled(path)]).then((red) => red === null);
      results.set(path, result);
      return result;
    },
  };
}

function compiled(path: string): string {
  return `dist/${path.replace(/\.ts$/, ".js")}`;
}
