// `node dist/bench/soak/main.js [--minutes N --events N --ttl SECONDS]`: runs the service under a
// steady mixed load and checks that its memory, timers, handles and connections return to where
// they began. With --ttl it also checks that the tables stop growing and that the purge keeps up.
// Exits with 1 when a check fails or an answer was wrong.
import { readFile, readdir } from "node:fs/promises";
import { openRig } from "../rig.js";
import { readSoakOptions } from "./read-soak-options.js";
import { renderSoak } from "./render-soak.js";
import { runSoak } from "./run-soak.js";

const say = (line: string) => void process.stderr.write(`${line}\n`);
const options = readSoakOptions();
const cut = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => reject(new Error(`${signal}: nothing is left running`)));
});

process.exitCode = 1;
const rig = await openRig();
try {
  const { figures, tally } = await Promise.race([runSoak(rig, { ...options, say }), cut]);
  const warnings = await findWarnings(rig.logs);
  const stayed = figures.filter(({ verdict }) => verdict !== "returned");
  const wrong = [...tally.wrong].map(([sentence, times]) => `${times} × ${sentence}`);
  process.stdout.write(
    `\n${tally.answers} requests (${tally.unavailable} of them to be tried again), ` +
      `${tally.uploads} uploads, ${tally.connections} connections and ${tally.events} ` +
      `events in ${options.minutes} minutes\n\n${renderSoak(figures)}\n\n`,
  );
  const summary =
    stayed.length === 0
      ? "Everything returned to where it started."
      : `${stayed.length} did not return to where they started.`;
  process.stdout.write([summary, ...wrong, ...warnings].map((line) => `${line}\n`).join(""));
  if (stayed.length === 0 && wrong.length === 0 && warnings.length === 0) process.exitCode = 0;
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await rig.close();
}
process.exit();

/** Errors of the service, and what Node.js warns of: emitters with too many listeners. */
async function findWarnings(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  const lines = await Promise.all(
    files.map(async (file) => (await readFile(`${folder}/${file}`, "utf8")).split("\n")),
  );
  return lines.flat().filter((line) => /"level":(50|60)|Warning:/.test(line));
}
