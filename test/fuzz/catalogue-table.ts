// `node dist/test/fuzz/catalogue-table.js`: runs every Job on every sample photo, and prints the
// results as a table, with the message of each refusal.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import type { Task } from "../../src/tasks/define-task.js";
import type { TaskChildResponse } from "../../src/worker/child/task-child-request.js";
import { loadTasks } from "./load-tasks.js";
import { createJobRunner, toTaskPhoto } from "./job-runner.js";
import type { Verdict } from "./judge-error.js";
import { madePhotos, realPhotos, type SamplePhoto } from "./sample-photos.js";

const folder = await mkdtemp(join(tmpdir(), "photo-service-table-"));
const runner = createJobRunner(folder, { tasks: await loadTasks() });
const ZIP = "application/zip";
const notes = new Map<string, number>();
const say = (cells: string[]) => void process.stdout.write(`| ${cells.join(" | ")} |\n`);
try {
  say(["photo", ...runner.jobs.map(({ name }) => name)]);
  say(["---", ...runner.jobs.map(() => "---")]);
  for (const photo of [...realPhotos(), ...(await madePhotos())])
    say([photo.name, ...(await rowOf(photo))]);
  process.stdout.write(
    `\n${[...notes].map(([sentence, number]) => `${number}. ${sentence}\n`).join("")}`,
  );
} finally {
  await runner.close();
  await rm(folder, { recursive: true, force: true });
}

async function rowOf({ name, bytes }: SamplePhoto): Promise<string[]> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const photo = await toTaskPhoto(path, (await runner.probe(path)).header);
  const copy = { ...photo, id: "a copy" };
  const photosFor = ({ minPhotos }: Task) =>
    Array.from({ length: Math.max(1, minPhotos) }, (_, index) => (index === 0 ? photo : copy));
  return Promise.all(
    runner.jobs.map(async (job) => cellOf(await runner.run(job, photosFor(job), outputsAreRight))),
  );
}

function cellOf(verdict: Verdict): string {
  if (verdict.kind === "ok") return "right";
  const sentence = "code" in verdict ? `${verdict.code}: ${verdict.message}` : verdict.message;
  if (!notes.has(sentence)) notes.set(sentence, notes.size + 1);
  const word = { warned: "right", refused: "refused", died: "died", violation: "**WRONG**" }[
    verdict.kind
  ];
  return `${word} (${notes.get(sentence)})`;
}

/** Checks that each output can be decoded, is upright, and has the size that the task reported. */
async function outputsAreRight(
  { outputs }: TaskChildResponse,
  attemptFolder: string,
): Promise<string | null> {
  for (const { name, width, height } of outputs.filter(({ mimeType }) => mimeType !== ZIP)) {
    const pipeline = sharp(join(attemptFolder, name), { failOn: "warning" });
    const { orientation = 1 } = await pipeline.metadata();
    const { info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    if (orientation !== 1 || info.width !== width || info.height !== height)
      return (
        `${name} is ${info.width} × ${info.height}, orientation ${orientation}, not ` +
        `${width} × ${height} upright`
      );
  }
  return null;
}
