import { setMaxListeners } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { seededRandom } from "../../test/support/runner/seeded-random.js";
import { createServiceDatabase, startPhotoService } from "../peers/photo-service.js";
import type { Rig } from "../rig.js";
import { judgeSoak, type JudgedValue, type TimedSample } from "./judge-soak.js";
import { useService } from "./load.js";
import type { SoakOptions } from "./read-soak-options.js";
import { keepSubmitting } from "./steady-traffic.js";
import { createTally, type Tally } from "./tally.js";
import { takeSample, type Probed } from "./take-sample.js";

const SAMPLE_MS = 10_000;
/** Longer than the idle timeout of connections to PostgreSQL. */
const REST_MS = 75_000;
const WARM_UP_MS = 60_000;

export interface SoakOutcome {
  measurements: JudgedValue[];
  tally: Tally;
}

/** Warms up, rests and samples; runs the load; then rests and samples again. */
export async function runSoak(
  rig: Rig,
  { minutes, events, ttlSeconds, say }: SoakOptions & { say: (line: string) => void },
): Promise<SoakOutcome> {
  const probes = join(rig.folder, "probes");
  await mkdir(probes);
  const env = {
    NODE_OPTIONS: `--import ${new URL("./probe.js", import.meta.url).href}`,
    PROBE_FOLDER: probes,
    ECHO: "true",
    ...ttlEnv(ttlSeconds),
  };
  const service = await startPhotoService(rig, {
    name: "soak",
    database: await createServiceDatabase(rig, "soak"),
    env,
  });
  const redis = new Redis(rig.redis.url);
  try {
    const probed: Probed = { rig, service, probes, redis, ttlSeconds };
    const random = seededRandom();
    const use = (ms: number) =>
      useFor({ rig, url: service.url, random: random.branch(), ms, events });
    say(`warming up for ${WARM_UP_MS / 1000} s, then ${REST_MS / 1000} s of rest`);
    await use(WARM_UP_MS);
    const start = await sampleAtRest(probed);
    say(`${minutes} minutes of load`);
    const over = new AbortController();
    const [tally, underLoad] = await Promise.all([
      use(minutes * 60_000).finally(() => over.abort()),
      sampleUntil(probed, over.signal, say),
    ]);
    say(`${REST_MS / 1000} s of rest`);
    return {
      measurements: judgeSoak({ start, end: await sampleAtRest(probed), underLoad }),
      tally,
    };
  } finally {
    redis.disconnect();
    await service.close();
  }
}

function ttlEnv(ttlSeconds: number | null): Record<string, string> {
  return ttlSeconds === null
    ? {}
    : { EVENT_TTL: String(ttlSeconds), MAX_JOB_TTL: String(ttlSeconds) };
}

async function useFor({
  ms,
  events,
  ...options
}: Omit<Parameters<typeof useService>[0], "stop" | "tally"> & {
  ms: number;
  events: number;
}): Promise<Tally> {
  const stop = new AbortController();
  // Every waiting user adds a listener to the signal.
  setMaxListeners(0, stop.signal);
  const timer = setTimeout(() => stop.abort(), ms);
  const tally = createTally();
  const steady =
    events > 0
      ? [keepSubmitting({ ...options, eventsPerSecond: events, stop: stop.signal, tally })]
      : [];
  await Promise.all([useService({ ...options, stop: stop.signal, tally }), ...steady]).finally(() =>
    clearTimeout(timer),
  );
  return tally;
}

async function sampleAtRest(probed: Probed): Promise<TimedSample["sample"]> {
  await untilNothingRuns(probed);
  await pause(REST_MS);
  return takeSample(probed);
}

async function untilNothingRuns({ rig }: Probed): Promise<void> {
  const url = Object.assign(new URL(rig.postgres.url), { pathname: "/soak" }).href;
  for (;;) {
    const [row] = await rig.query(
      url,
      "select count(*) from queued_jobs where status in ('PENDING', 'STARTED')",
    );
    if (Number(row?.["count"]) === 0) return;
    await pause(1000);
  }
}

async function sampleUntil(
  probed: Probed,
  over: AbortSignal,
  say: (line: string) => void,
): Promise<TimedSample[]> {
  const samples: TimedSample[] = [];
  const from = performance.now();
  for (;;) {
    await pause(SAMPLE_MS, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return samples;
    const minutes = (performance.now() - from) / 60_000;
    const sample = await takeSample(probed);
    samples.push({ minutes, sample });
    if (samples.length % 6 === 0)
      say(
        `  ${minutes.toFixed(0).padStart(4)} min   heap of API ` +
          `${sample["api: heap after collection, MB"]?.toFixed(1)} MB, of worker ` +
          `${sample["worker: heap after collection, MB"]?.toFixed(1)} MB; listeners ` +
          `${sample["api: listeners"]}, ${sample["worker: listeners"]}`,
      );
  }
}
