import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../support/runner/seeded-random.js";
import { toTaskPhoto, type JobRunner } from "./job-runner.js";
import type { Verdict } from "./judge-error.js";
import { mutate } from "./mutate.js";
import type { SamplePhoto } from "./sample-photos.js";

export interface FuzzStatistics {
  files: number;
  /** Number of files that an upload would accept. */
  taken: number;
  runs: number;
  /** Number of runs by outcome: `ok`, `warned`, `refused PHOTO_UNREADABLE`, … */
  ends: Map<string, number>;
  /** Number of times that a user would read each message. */
  sentences: Map<string, number>;
  /** Milliseconds of the slowest run of each Job. */
  slowest: Map<string, number>;
  violations: string[];
  seconds: number;
}

/** Photos above this size are slow, so they are used only with the share below. */
const LARGE_BYTES = 500_000;
const LARGE_SHARE = 0.03;

/** Damages photos, and runs every Job on each. All files are written to `folder`. */
export async function runFuzz(
  runner: JobRunner,
  options: { samples: SamplePhoto[]; files: number; seed: number; folder: string },
): Promise<FuzzStatistics> {
  const startedAt = Date.now();
  const statistics: FuzzStatistics = {
    files: 0,
    taken: 0,
    runs: 0,
    ends: new Map(),
    sentences: new Map(),
    slowest: new Map(),
    violations: [],
    seconds: 0,
  };
  const mutants = makeMutants(options);
  const good = options.samples.find(({ name }) => name === "made.jpg") ?? options.samples[0];
  if (good === undefined) throw new Error("The list of sample photos is empty.");
  const goodPath = join(options.folder, "good");
  await writeFile(goodPath, good.bytes);
  const lane = async () => {
    for (const mutant of mutants)
      await tryMutant(runner, statistics, { ...mutant, goodPath, folder: options.folder });
  };
  // One more lane than child processes, so that none is idle.
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, lane));
  await checkStillWorks(runner, statistics, goodPath);
  statistics.seconds = (Date.now() - startedAt) / 1000;
  return statistics;
}

interface NamedMutant {
  name: string;
  bytes: Buffer;
}

function* makeMutants({
  samples,
  files,
  seed,
}: {
  samples: SamplePhoto[];
  files: number;
  seed: number;
}): Generator<NamedMutant> {
  const random = seededRandom(seed);
  const small = samples.filter(({ bytes }) => bytes.length < LARGE_BYTES);
  const large = samples.filter(({ bytes }) => bytes.length >= LARGE_BYTES);
  for (let number = 1; number <= files; number++) {
    const branch = random.branch();
    const sample = branch.pick(large.length > 0 && branch.chance(LARGE_SHARE) ? large : small);
    const { bytes, how } = mutate(sample.bytes, branch.pick(samples).bytes, branch);
    yield { name: `file ${number} (${sample.name}: ${how})`, bytes };
  }
}

async function tryMutant(
  runner: JobRunner,
  statistics: FuzzStatistics,
  { name, bytes, goodPath, folder }: NamedMutant & { goodPath: string; folder: string },
): Promise<void> {
  const path = join(folder, `mutant-${++statistics.files}`);
  await writeFile(path, bytes);
  const { header, verdict } = await runner.probe(path);
  if (header !== null) statistics.taken++;
  note(statistics, name, "upload", verdict);
  const [mutant, good] = [await toTaskPhoto(path, header), await toTaskPhoto(goodPath, null)];
  for (const job of runner.jobs) {
    const startedAt = Date.now();
    const photos = Array.from({ length: Math.max(1, job.minPhotos) }, (_, index) =>
      index === 0 ? mutant : good,
    );
    const ended = await runner.run(job, photos);
    statistics.runs++;
    statistics.slowest.set(
      job.name,
      Math.max(statistics.slowest.get(job.name) ?? 0, Date.now() - startedAt),
    );
    count(statistics.ends, "code" in ended ? `${ended.kind} ${ended.code}` : ended.kind);
    note(statistics, name, job.name, ended);
  }
}

function note(statistics: FuzzStatistics, name: string, where: string, verdict: Verdict): void {
  if (verdict.kind === "violation")
    statistics.violations.push(`${name}, ${where}: ${verdict.message}`);
  // Messages contain numbers from headers, which are replaced so that equal messages count as one.
  else if (verdict.kind !== "ok")
    count(statistics.sentences, `${verdict.kind}: ${verdict.message.replace(/\d[\d.]*/g, "#")}`);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

async function checkStillWorks(
  runner: JobRunner,
  statistics: FuzzStatistics,
  goodPath: string,
): Promise<void> {
  for (const job of runner.jobs) {
    const good = await toTaskPhoto(goodPath, (await runner.probe(goodPath)).header);
    const verdict = await runner.run(
      job,
      Array.from({ length: Math.max(1, job.minPhotos) }, () => good),
    );
    if (verdict.kind !== "ok")
      statistics.violations.push(
        `an undamaged photo after the run, ${job.name}: ${JSON.stringify(verdict)}`,
      );
  }
}
