import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What starts the whole service: to load that takes longer than most of the tests that do. */
const WHOLE_SERVICE = /support\/[a-z-]*service\.js"/;
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
  const sharing = new Set(names.filter((name) => {
    const source = readFileSync(join(sources, name.replace(/\.js$/, ".ts")), "utf8");
    return WHOLE_SERVICE.test(source) && !ON_ITS_OWN.test(source);
  }));
  const groups = Array.from({ length: Math.ceil(sharing.size / MEMBERS) }, (): Group => ({ names: [], ms: 0 }));
  for (const name of sharing) {
    const shortest = groups.reduce((best, group) => (group.ms < best.ms || (group.ms === best.ms && group.names.length < best.names.length) ? group : best));
    shortest.names.push(name);
    shortest.ms += msOf(name);
  }
  const folder = join(compiled, "groups");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return [...groups.map((group, i) => writeGroup(join(folder, `${i + 1}.js`), group)), ...names.filter((name) => !sharing.has(name)).map((name) => ({ path: join(compiled, name), ms: msOf(name) }))]
    .toSorted((a, b) => b.ms - a.ms).map(({ path }) => path);
}

function writeGroup(path: string, { names, ms }: Group): { path: string; ms: number } {
  writeFileSync(path, names.map((name) => `import ${JSON.stringify(`../${name}`)};\n`).join(""));
  return { path, ms };
}
