// `node dist/test/fuzz/peak-memory.js [photo...]`: measures the peak memory of a child process for
// each Job, on a JPEG of 100 megapixels and on the given photos. It works on Linux only.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { createJobRunner, toTaskPhoto } from "./job-runner.js";

const folder = await mkdtemp(join(tmpdir(), "photo-service-memory-"));
const large = join(folder, "100-megapixels.jpg");
const tile = await sharp({
  create: {
    width: 1000,
    height: 1000,
    channels: 3,
    background: "#808080",
    noise: { type: "gaussian", mean: 128, sigma: 40 },
  },
})
  .png()
  .toBuffer();
await sharp({ create: { width: 10_000, height: 10_000, channels: 3, background: "#808080" } })
  .composite([{ input: tile, tile: true }])
  .jpeg({ quality: 80 })
  .toFile(large);
const { jobs, close } = createJobRunner(folder, { size: 1 });
await close();
try {
  for (const path of [large, ...process.argv.slice(2)])
    for (const job of jobs) await measure(path, job);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Runs one Job in a new child process. */
async function measure(path: string, job: (typeof jobs)[number]): Promise<void> {
  const runner = createJobRunner(folder, { size: 1 });
  const photo = await toTaskPhoto(path, (await runner.probe(path)).header);
  let peak = 0;
  const watch = setInterval(async () => (peak = Math.max(peak, ...(await peaksOfChildren()))), 20);
  const startedAt = Date.now();
  const verdict = await runner.run(
    job,
    Array.from({ length: Math.max(1, job.minPhotos) }, () => photo),
  );
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  clearInterval(watch);
  await runner.close();
  const parent = Math.round(process.memoryUsage.rss() / 1e6);
  process.stdout.write(
    `${path.split("/").at(-1)}  ${job.name}  ${JSON.stringify(verdict)}  ${seconds} s  ` +
      `child ${Math.round(peak / 1e6)} MB, parent ${parent} MB\n`,
  );
}

/** Peak resident bytes of each living child process. */
async function peaksOfChildren(): Promise<number[]> {
  const pids = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8"))
    .split(" ")
    .filter(Boolean);
  const statuses = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/status`, "utf8").catch(() => "")),
  );
  return statuses.map((status) => Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
}
