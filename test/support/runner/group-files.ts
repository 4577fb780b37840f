import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a file loads before its first test, by what it imports: the whole service, the rules with
 * their stores, all else.
 */
const LOADED = [
  /\/[a-z-]*service\.js"/,
  /\/(?:test-(?:services|core|reader|database)|worker-scene)\.js"/,
  /^/,
];
/**
 * A hook around every test, outside of any `describe`, would be around those of the others of its
 * group as well.
 */
const ON_ITS_OWN = /^(?:beforeEach|afterEach)\b/m;
const MAX_MEMBERS = 16;
/** Of all that is run: a longer group would leave the other processors idle at the end. */
const MAX_SHARE = 1 / 20;

interface Group {
  names: string[];
  ms: number;
}

/**
 * The paths to run: of groups of files whose tests follow each other in one process, so that it
 * starts, loads and warms up once.
 */
export function groupFiles(
  names: readonly string[],
  options: { sources: string; compiled: string; msOf(name: string): number },
): string[] {
  const { sources, compiled, msOf } = options;
  const kindOf = (name: string) => {
    const source = readFileSync(join(sources, name.replace(/\.js$/, ".ts")), "utf8");
    return ON_ITS_OWN.test(source) ? -1 : LOADED.findIndex((kind) => kind.test(source));
  };
  const kinds = names.map((name) => ({ name, kind: kindOf(name) }));
  const ofKind = (wanted: number) =>
    kinds.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  const folder = join(compiled, "groups");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const maxMs = names.reduce((sum, name) => sum + msOf(name), 0) * MAX_SHARE;
  const groups = [
    ...inGroups(ofKind(-1), { maxMs: 0, msOf }),
    ...LOADED.flatMap((_, kind) => inGroups(ofKind(kind), { maxMs, msOf })),
  ];
  return groups
    .toSorted((a, b) => b.ms - a.ms)
    .map((group, i) => writeGroup(join(folder, `${i + 1}.js`), group));
}

/** In the order they are given: neighbours load the same. */
function inGroups(
  names: readonly string[],
  { maxMs, msOf }: { maxMs: number; msOf(name: string): number },
): Group[] {
  const groups: Group[] = [];
  for (const name of names) {
    const last = groups.at(-1);
    if (last && last.names.length < MAX_MEMBERS && last.ms + msOf(name) <= maxMs) {
      last.names.push(name);
      last.ms += msOf(name);
    } else groups.push({ names: [name], ms: msOf(name) });
  }
  return groups;
}

function writeGroup(path: string, { names }: Group): string {
  writeFileSync(path, names.map((name) => `import ${JSON.stringify(`../${name}`)};\n`).join(""));
  return path;
}
