// `node dist/test/load/thumbnails.js [--photos N] [--children N]`: thumbnails a second of the Job,
// in the worker's own children, beside the image library alone in one process, on the same photos
// of 12 megapixels and as many cores.
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { createJobRunner, toTaskPhoto } from "../fuzz/job-runner.js";
import type { Verdict } from "../fuzz/judge-error.js";

const WIDTHS = [1600, 640, 160];
const QUALITY = 80;
const ROUNDS = 3;
const { values } = parseArgs({
  options: {
    photos: { type: "string", default: "60" },
    children: { type: "string", default: String(availableParallelism()) },
  },
});
const [photos, lanes] = [Number(values.photos), Number(values.children)];
const folder = await mkdtemp(join(tmpdir(), "photo-service-thumbnails-"));
const runner = createJobRunner(folder, {
  size: lanes,
  parameters: { thumbnail: { widths: WIDTHS, format: "jpeg", quality: QUALITY } },
});
let written = 0;
const output = () => join(folder, `alone-${++written % (4 * lanes)}.jpg`);
const say = (line: string) => void process.stdout.write(`${line}\n`);

try {
  await compare(await makePhotos());
} finally {
  await runner.close();
  await rm(folder, { recursive: true, force: true });
}

/** Each of several contents, as a camera would save them. */
async function makePhotos(): Promise<string[]> {
  const paths = Array.from({ length: 4 }, (_, index) => join(folder, `${index}.jpg`));
  for (const path of paths) {
    const grain = await sharp({
      create: {
        width: 1000,
        height: 750,
        channels: 3,
        background: "#888",
        noise: { type: "gaussian", mean: 128, sigma: 50 },
      },
    })
      .blur(1)
      .png()
      .toBuffer();
    await sharp(grain).resize(4000, 3000).jpeg({ quality: 90 }).toFile(path);
  }
  return paths;
}

async function compare(paths: string[]): Promise<void> {
  const job = runner.jobs.find(({ name }) => name === "thumbnail");
  if (job === undefined) throw new Error("There is no Job thumbnail.");
  const files = await Promise.all(paths.map((path) => toTaskPhoto(path, null)));
  sharp.concurrency(1);
  sharp.cache(false);
  const ways: [what: string, work: (index: number) => Promise<unknown>, rates: number[]][] = [
    ["the Job, in children", (index) => runner.run(job, [at(files, index)]).then(mustBeRight), []],
    ["the library alone, a pipeline for each width", (index) => eachFromFile(at(paths, index)), []],
    ["the library alone, decoded once by hand", (index) => eachFromLarger(at(paths, index)), []],
  ];
  for (const [, work] of ways) await rateOf(work, 2 * lanes);
  // In turns, so that what else the machine does weighs on all alike.
  for (let round = 0; round < ROUNDS; round++)
    for (const [, work, rates] of ways) rates.push(await rateOf(work, photos / ROUNDS));
  say(
    `${photos} JPEGs of 12 megapixels to JPEGs of ${WIDTHS.join(", ")} pixels, ${lanes} at a time`,
  );
  const task = mean(ways[0]?.[2] ?? []);
  for (const [what, , rates] of ways)
    say(
      `${what.padEnd(46)} ${(WIDTHS.length * mean(rates)).toFixed(1).padStart(6)} ` +
        `thumbnails/s; the Job makes ${(task / mean(rates)).toFixed(2)} times as many`,
    );
}

function mustBeRight(verdict: Verdict): void {
  if (verdict.kind !== "ok") throw new Error(JSON.stringify(verdict));
}

/** As its manual shows it; the decoder shrinks by itself. */
async function eachFromFile(path: string): Promise<void> {
  for (const width of WIDTHS)
    await sharp(path).autoOrient().resize({ width }).jpeg({ quality: QUALITY }).toFile(output());
}

async function eachFromLarger(path: string): Promise<void> {
  let larger = sharp(path).autoOrient();
  for (const width of WIDTHS) {
    const { data, info } = await larger
      .resize({ width })
      .raw()
      .toBuffer({ resolveWithObject: true });
    larger = sharp(data, { raw: info });
    await larger.clone().jpeg({ quality: QUALITY }).toFile(output());
  }
}

/** Photos a second. */
async function rateOf(work: (index: number) => Promise<unknown>, count: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return count / ((performance.now() - began) / 1000);
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function at<T>(list: T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error("There is no photo.");
  return item;
}
