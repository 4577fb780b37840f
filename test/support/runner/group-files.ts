import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Kinds of test files by their imports: the whole service, the services with their stores, and all
 * others. Files of one kind load about the same modules.
 */
const LOADED = [
  /\/[a-z-]*service\.js"/,
  /\/(?:test-(?:services|core|reader|database)|worker-scene)\.js"/,
  /^/,
];
/** A hook outside of any `describe` would also run for the other files of its group. */
const ON_ITS_OWN = /^(?:beforeEach|afterEach)\b/m;
const MAX_MEMBERS = 40;
/** Maximum share of the total time. A longer group leaves other processors idle at the end. */
const MAX_SHARE = 1 / 16;

interface Group {
  names: string[];
  ms: number;
}

/**
 * Writes groups of test files and returns their paths. The files of a group run in one process,
 * which starts, loads and warms up only once.
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

/** Keeps the order, because neighbouring files load similar modules. */
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
