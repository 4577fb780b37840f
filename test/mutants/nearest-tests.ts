import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSource, walk, type SyntaxNode } from "./syntax.js";

/** Duration of each test file in its last run, by its path below test/. */
const TIMES = "dist/test/times.json";
const UNKNOWN_MS = 3000;
/** Start-up time of a separate process. */
const LOADING_MS = 1000;
const LEAST = 3;

export interface TestFile {
  /** Path below the project, for example `test/events/ring.test.ts`. */
  path: string;
  ms: number;
}

/** A changed place: the file and the text in it. */
export interface Place {
  file: string;
  before: string;
}

/**
 * Returns the test files that may detect a change, the most likely first. First come tests at the
 * path of the file. Then come tests with a word of the changed text in their name. The others
 * follow by the number of imports between, with the same folder first. Together they take at most
 * `budgetMs`, but there are at least three.
 */
export function createNearestTests(): (place: Place, budgetMs: number) => TestFile[] {
  const files = ["src", "test"].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: "utf8" }).map((path) => join(root, path)),
  );
  const sources = files.filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"));
  const users = usersOf(sources);
  const times = readTimes();
  return ({ file, before }, budgetMs) => {
    const words = wordsIn(before);
    const tests = [...distancesTo(file, users)]
      .filter(([path]) => path.endsWith(".test.ts"))
      .map(([path, distance]) => ({
        path,
        rank: isMirror(path, file)
          ? Infinity
          : nameOf(path).filter((word) => words.has(word)).length,
        distance,
        ms: LOADING_MS + (times[path.slice("test/".length).replace(/\.ts$/, ".js")] ?? UNKNOWN_MS),
      }));
    const isElsewhere = ({ path }: TestFile) => Number(roomOf(path) !== roomOf(file));
    const nearest = tests.toSorted(
      (a, b) =>
        compare(b.rank, a.rank) ||
        a.distance - b.distance ||
        isElsewhere(a) - isElsewhere(b) ||
        a.ms - b.ms,
    );
    let left = budgetMs;
    return nearest.filter(({ ms }, i) => {
      if (i >= LEAST && ms > left) return false;
      left -= ms;
      return true;
    });
  };
}

/** Returns the folder below the root: `server` for `src/server/` and `test/server/`. */
function roomOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** Infinity minus Infinity is not a number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** Splits identifiers: `registerMetrics` has two words. */
function wordsIn(text: string): Set<string> {
  return new Set(
    text
      .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .match(/[a-z]{3,}/g),
  );
}

function nameOf(test: string): string[] {
  return [...wordsIn(test.replace(/^.*\//, "").replace(/\.test\.ts$/, ""))];
}

/**
 * True for a test at the source's path or at the path of its folder: `tasks/hash.test.ts` tests all
 * of `tasks/hash/`.
 */
function isMirror(test: string, source: string): boolean {
  const subject = test.replace(/^test\//, "src/").replace(/\.test\.ts$/, "");
  const name = source.replace(/\.tsx?$/, "");
  return subject === name || dirname(subject) === name || name.startsWith(`${subject}/`);
}

/** Returns for each file the files that import it or start it as a process. */
function usersOf(sources: string[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const file of sources) {
    for (const used of usedBy(file, sources)) users.set(used, [...(users.get(used) ?? []), file]);
  }
  return users;
}

function usedBy(file: string, sources: string[]): Set<string> {
  const used = new Set<string>();
  const add = (name: unknown) => {
    if (typeof name !== "string" || !/^\.{1,2}\//.test(name)) return;
    const path = normalize(join(dirname(file), name)).replace(/\.js$/, ".ts");
    for (const candidate of [path, `${path}x`]) if (existsSync(candidate)) used.add(candidate);
  };
  walk(parseSource(file, readFileSync(file, "utf8")), {
    skip: () => false,
    visit(node) {
      // Handles static and lazy imports; `new URL("x.js", import.meta.url)` names a process.
      add((node["source"] as SyntaxNode | undefined)?.["value"]);
      for (const path of namedBy(node, file, sources)) used.add(path);
      for (const argument of argumentsOf(node)) {
        add(argument);
        add(`./${argument}`);
        // The helpers name files of src: `runBin("token")`, `moduleUrl("runtime/logger")`.
        if (/^(run|start)Bin$|^runNpm$|^programFile$/.test(calleeOf(node)))
          used.add(`src/bin/${argument}.ts`);
        if (calleeOf(node) === "moduleUrl") used.add(`src/${argument}.ts`);
      }
    },
  });
  return used;
}

/**
 * Returns all files that a template may name: every file of src/bin for `../src/bin/${name}.js`.
 */
function namedBy(node: SyntaxNode, file: string, sources: string[]): string[] {
  const parts = node.type === "TemplateLiteral" ? (node["quasis"] as SyntaxNode[]) : [];
  const texts = parts.map(({ value }) => (value as { raw: string }).raw);
  if (!texts.at(-1)?.endsWith(".js") || texts.length < 2) return [];
  const [folder = "", ...rest] = normalize(join(dirname(file), texts.join("\0"))).split("\0");
  if (!/^\w+\/\w/.test(folder)) return [];
  return sources.filter(
    (path) => path.startsWith(folder) && path.replace(/\.ts$/, ".js").endsWith(rest.at(-1) ?? ""),
  );
}

function argumentsOf(node: SyntaxNode): string[] {
  const list = ["CallExpression", "NewExpression"].includes(node.type)
    ? (node["arguments"] as SyntaxNode[])
    : [];
  return list.flatMap(({ value }) => (typeof value === "string" ? [value] : []));
}

function calleeOf(node: SyntaxNode): string {
  return String((node["callee"] as SyntaxNode | undefined)?.["name"] ?? "");
}

/** Returns by breadth-first search the number of imports between each file and this one. */
function distancesTo(file: string, users: Map<string, string[]>): Map<string, number> {
  const distances = new Map([[file, 0]]);
  for (const [path, distance] of distances) {
    for (const user of users.get(path) ?? [])
      if (!distances.has(user)) distances.set(user, distance + 1);
  }
  return distances;
}

function readTimes(): Record<string, number> {
  return existsSync(TIMES)
    ? (JSON.parse(readFileSync(TIMES, "utf8")) as Record<string, number>)
    : {};
}
