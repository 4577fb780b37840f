import type { Lane } from "./lane.js";
import { mutate, testFilesOf, type AreaMutant } from "./read-areas.js";
import { shareAmong } from "./stage.js";

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Removes the guards one at a time; returns true if a test detected each. */
export async function runListed(lanes: Lane[], mutants: AreaMutant[]): Promise<boolean> {
  if (!(await areGreen(lanes, mutants))) return false;
  const alive: AreaMutant[] = [];
  await shareAmong(lanes, mutants, async (lane, mutant) => {
    if (!(await isNoticed(lane, mutant))) alive.push(mutant);
  });
  say(`\n${mutants.length - alive.length} of ${mutants.length} were noticed`);
  return alive.length === 0;
}

/** Runs the tests with all guards first; otherwise the results would mean nothing. */
async function areGreen([lane]: Lane[], mutants: AreaMutant[]): Promise<boolean> {
  const files = [...new Set(mutants.flatMap(testFilesOf))];
  const red = (await lane?.firstRed(files)) ?? null;
  say(
    red === null
      ? `${files.length} files of tests are green with all guards in`
      : `RED with all guards in: ${red}`,
  );
  return red === null;
}

async function isNoticed(lane: Lane, mutant: AreaMutant): Promise<boolean> {
  const startedAt = Date.now();
  const red = await lane.with(mutant.file, mutate(mutant), () =>
    lane.firstRed(testFilesOf(mutant)),
  );
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  // A file that failed as a whole or timed out has detected nothing.
  const noticed = red !== null && !red.endsWith(".test.js");
  say(
    `${noticed ? "red   " : "ALIVE "} ${mutant.area}: ${mutant.breaks} · ` +
      `${red ?? mutant.file} (${seconds} s)`,
  );
  return noticed;
}
