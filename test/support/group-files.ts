import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What takes longer to load than most tests of it take: the whole service, and the rules with their stores. */
const HEAVY = [/support\/[a-z-]*service\.js"/, /support\/test-(?:waist|core|reader|database)\.js"/];
/** A hook or a test outside of any `describe` would be of the others of its group as well. */
const ON_ITS_OWN = /^(?:after|before|afterEach|beforeEach|it|test|await|const \w+ = await)\b/m;
const MEMBERS = 5;

interface Group {
  names: string[];
  ms: number;
}

/** The paths to run: of files, and of groups of files whose tests follow each other in one process, so that it loads the service once. */
export function groupFiles(names: readonly string[], options: { sources: string; compiled: string; msOf(name: string): number }): string[] {
  const { sources, compiled, msOf } = options;
  const kindOf = (name: string) => {
    const source = readFileSync(join(sources, name.replace(/\.js$/, ".ts")), "utf8");
    return ON_ITS_OWN.test(source) ? -1 : HEAVY.findIndex((kind) => kind.test(source));
  };
  const kinds = names.map((name) => ({ name, kind: kindOf(name) }));
  const ofKind = (wanted: number) => kinds.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  const groups = HEAVY.flatMap((_, kind) => inGroups(ofKind(kind), msOf));
  const folder = join(compiled, "groups");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return [...groups.map((group, i) => writeGroup(join(folder, `${i + 1}.js`), group)), ...ofKind(-1).map((name) => ({ path: join(compiled, name), ms: msOf(name) }))]
    .toSorted((a, b) => b.ms - a.ms).map(({ path }) => path);
}

/** Of about the same length. */
function inGroups(names: readonly string[], msOf: (name: string) => number): Group[] {
  const groups = Array.from({ length: Math.ceil(names.length / MEMBERS) }, (): Group => ({ names: [], ms: 0 }));
  for (const name of names) {
    const shortest = groups.reduce((best, group) => (group.ms < best.ms || (group.ms === best.ms && group.names.length < best.names.length) ? group : best));
    shortest.names.push(name);
    shortest.ms += msOf(name);
  }
  return groups;
}

function writeGroup(path: string, { names, ms }: Group): { path: string; ms: number } {
  writeFileSync(path, names.map((name) => `import ${JSON.stringify(`../${name}`)};\n`).join(""));
  return { path, ms };
}
