import { resolve } from "node:path";
import type { Measurements } from "./report/figures.js";
import type { BenchOptions } from "./read-bench-options.js";
import { createServiceDatabase, seedHistory } from "./peers/photo-service.js";
import type { Rig } from "./rig.js";
import { runRound } from "./run-round.js";
import { makeSamplePhotos } from "./sample-photo.js";
import type { FailedMeasurement } from "./stand.js";
import { measureStart } from "./workloads/start-time.js";

export interface BenchOutcome {
  rounds: Measurements[];
  failures: FailedMeasurement[];
}

/** Photos that are processed before the measurement starts. */
const WARM_UP_PHOTOS = 2;

/** Runs all rounds. Prepares photos and the long history once, before the first round. */
export async function runBench(
  rig: Rig,
  options: BenchOptions & { say: (line: string) => void },
): Promise<BenchOutcome> {
  const { scale, only, say } = options;
  const outcome: BenchOutcome = { rounds: [], failures: [] };
  const photos =
    only.has("W6") || only.has("W8")
      ? await makeSamplePhotos(scale.thumbnails.photos + WARM_UP_PHOTOS)
      : [];
  const longHistory = only.has("W5") ? await makeLongHistory(rig, options) : null;
  // The first start creates the folder, so it is not measured.
  if (only.has("start")) await measureStart(rig.folder);
  const serviceEnv: Record<string, string> =
    options.profile === null
      ? {}
      : {
          NODE_OPTIONS: `--import ${new URL("./profile-process.js", import.meta.url).href}`,
          PROFILE_FOLDER: resolve(options.profile),
        };
  const onFailure = (failure: FailedMeasurement) => {
    outcome.failures.push(failure);
    say(`  ${failure.sentence}`);
  };
  for (let round = 0; round < scale.rounds; round++) {
    say(`round ${round + 1} of ${scale.rounds}`);
    outcome.rounds.push(
      await runRound({
        rig,
        scale,
        only,
        reverse: round % 2 === 1,
        photos,
        longHistory,
        serviceEnv,
        say,
        onFailure,
      }),
    );
  }
  return outcome;
}

async function makeLongHistory(
  rig: Rig,
  { scale, say }: Pick<BenchOptions, "scale"> & { say: (line: string) => void },
): Promise<string> {
  say(`making ${scale.history.many.toLocaleString("en")} rows of history`);
  const database = await createServiceDatabase(rig, "long_history");
  await seedHistory(rig, database, scale.history.many);
  return database;
}
