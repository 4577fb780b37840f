// `node dist/bench/soak/main.js [--minutes N --events N --ttl SECONDS]`: runs the service under a
// steady mixed load, and checks that its resources return to their values before. With --ttl it
// also checks that tables stop growing and that clean-up keeps up. Exits with 1 after a fault.
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
  const { measurements, tally } = await Promise.race([runSoak(rig, { ...options, say }), cut]);
  const warnings = await findWarnings(rig.logs);
  const stayed = measurements.filter(({ verdict }) => verdict !== "returned");
  const wrong = [...tally.wrong].map(([sentence, times]) => `${times} × ${sentence}`);
  process.stdout.write(
    `\n${tally.answers} requests (${tally.unavailable} refused as unavailable), ` +
      `${tally.uploads} uploads, ${tally.connections} connections and ${tally.events} ` +
      `events in ${options.minutes} minutes\n\n${renderSoak(measurements)}\n\n`,
  );
  const summary =
    stayed.length === 0
      ? "All values returned to where they started."
      : `${stayed.length} values did not return to where they started.`;
  process.stdout.write([summary, ...wrong, ...warnings].map((line) => `${line}\n`).join(""));
  if (stayed.length === 0 && wrong.length === 0 && warnings.length === 0) process.exitCode = 0;
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await rig.close();
}
process.exit();

/** Errors of the service, and warnings of Node.js, such as too many listeners on an emitter. */
async function findWarnings(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  const lines = await Promise.all(
    files.map(async (file) => (await readFile(`${folder}/${file}`, "utf8")).split("\n")),
  );
  return lines.flat().filter((line) => /"level":(50|60)|Warning:/.test(line));
}
