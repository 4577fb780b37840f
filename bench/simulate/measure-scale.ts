// `npm run bench -- --scale`: W7 with 1, 2 and 4 API processes and as many workers, on one
// PostgreSQL and one Redis, beside what the model predicts.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { openCrowdClient } from "../client/crowd-client.js";
import { createServiceDatabase, startPhotoService } from "../peers/photo-service.js";
import { startMeter, type Cost } from "../process-figures.js";
import { renderTable } from "../report/render-table.js";
import { readCircumstances } from "../report/results.js";
import { median } from "../report/statistics.js";
import type { Rig } from "../rig.js";
import type { Scale } from "../scale.js";
import { SUBMITTER, withStores } from "../stand.js";
import { measureThroughput } from "../workloads/throughput.js";
import {
  coresOf,
  createModel,
  PARTS,
  recordOf,
  type Measured,
  type Part,
  type ScaleRun,
} from "./model.js";

/** File with the accepted measurements, from which the model takes its costs. */
const MEASURED_PATH = "bench/simulate/measured.json";

const PROCESSES = [1, 2, 4];

export function readMeasured(path: string = MEASURED_PATH): Measured {
  return JSON.parse(readFileSync(path, "utf8")) as Measured;
}

export function writeMeasured(measured: Measured, path: string = MEASURED_PATH): void {
  writeFileSync(path, `${JSON.stringify(measured, null, 1)}\n`);
}

/** Measures every deployment in each round, and takes the medians. */
export async function measureScale(
  rig: Rig,
  { scale, say }: { scale: Scale; say: (line: string) => void },
): Promise<Measured> {
  const { submitters } = scale.throughput;
  const deployments = [
    { processes: 1, inFlight: 1 },
    ...PROCESSES.map((processes) => ({ processes, inFlight: submitters * processes })),
  ];
  const rounds: ScaleRun[][] = deployments.map(() => []);
  for (let round = 0; round < scale.rounds; round++) {
    say(`round ${round + 1} of ${scale.rounds}`);
    for (const [i, deployment] of deployments.entries()) {
      const run = await measureDeployment(rig, scale, deployment);
      rounds[i]?.push(run);
      const { processes, inFlight, jobsPerSecond } = run;
      say(
        `  ${processes} + ${processes}, ${inFlight} in flight: ${jobsPerSecond.toFixed(0)} jobs/s`,
      );
    }
  }
  return {
    machine: readCircumstances().machine,
    cores: availableParallelism(),
    runs: rounds.flatMap((runs) => (runs[0] ? [medianOf(runs[0], runs)] : [])),
  };
}

async function measureDeployment(
  rig: Rig,
  scale: Scale,
  { processes, inFlight }: Pick<ScaleRun, "processes" | "inFlight">,
): Promise<ScaleRun> {
  await rig.emptyRedis();
  const [name, users] = [`scale_${processes}`, scale.crowds.few * processes];
  const database = await createServiceDatabase(rig, name);
  const service = await startPhotoService(rig, { name, database, count: processes });
  try {
    const client = await openCrowdClient({
      urls: service.urls,
      tokens: Array.from({ length: users }, (_, user) => rig.token(SUBMITTER + user)),
      connections: inFlight,
    });
    const parts = withStores(rig, service.processes);
    // The idle processes poll the stores, which is not a cost of the jobs.
    await pause(scale.fanOut.settleSeconds * 1000);
    const stop = startMeter(parts);
    await pause(scale.idleSeconds * 1000);
    const idle = stop();
    const result = await measureThroughput(client, {
      ...scale.crowds,
      // Each process has to compile its code, however many there are.
      warmUpJobs: processes * scale.crowds.warmUpJobs,
      warmUpSeconds: Infinity,
      submitters: inFlight,
      processes: parts,
      readCommits: () => readCommits(rig, name),
    }).finally(() => client.close());
    const { cost, jobs } = result;
    const msOf = (part: Part) =>
      part === "client"
        ? cost.ownMs
        : Math.max(0, totalOf(cost, part) - (totalOf(idle, part) * cost.seconds) / idle.seconds);
    return {
      processes,
      inFlight,
      jobsPerSecond: round(result.completedPerSecond),
      msPerJob: recordOf((part) => round(msOf(part) / jobs)),
      commitsPerJob: round(result.commits / jobs),
      coresElsewhere: round(cost.coresElsewhere),
    };
  } finally {
    await service.close();
  }
}

/** Commits of a database since its creation; sessions report them about once a second. */
async function readCommits(rig: Rig, name: string): Promise<number> {
  const text = `select xact_commit::int as n from pg_stat_database where datname = '${name}'`;
  const [row] = await rig.query(rig.postgres.url, text);
  return Number(row?.["n"]);
}

function totalOf({ ms }: Cost, part: Part): number {
  const names = Object.keys(ms).filter((name) => name.startsWith(part));
  return names.reduce((sum, name) => sum + (ms[name] ?? 0), 0);
}

function medianOf(first: ScaleRun, runs: readonly ScaleRun[]): ScaleRun {
  const of = (read: (run: ScaleRun) => number) => median(runs.map(read));
  return {
    ...first,
    jobsPerSecond: of((run) => run.jobsPerSecond),
    msPerJob: recordOf((part) => of((run) => run.msPerJob[part])),
    commitsPerJob: of((run) => run.commitsPerJob),
    coresElsewhere: of((run) => run.coresElsewhere),
  };
}

const round = (value: number) => Number(value.toPrecision(4));

const HEAD = [
  "API + workers",
  "in flight",
  "jobs/s",
  "model",
  "API ms/job",
  "worker ms/job",
  "PostgreSQL ms/job",
  "Redis ms/job",
  "client ms/job",
  "commits/job",
  "PostgreSQL s/s",
  "Redis s/s",
];

/** Renders the measurements beside the model, and explains the bottleneck. */
export function renderScale({ cores, runs }: Measured): string {
  const model = createModel({ runs, cores });
  const predict = (run: ScaleRun) => model.predict({ ...run, cores: coresOf(run, cores) });
  const rows = runs.map((run) => [
    `${run.processes} + ${run.processes}`,
    String(run.inFlight),
    run.jobsPerSecond.toFixed(0),
    run.inFlight === 1 ? "" : predict(run).jobsPerSecond.toFixed(0),
    ...PARTS.map((part) => run.msPerJob[part].toFixed(2)),
    run.commitsPerJob.toFixed(2),
    ...(["postgres", "redis"] as const).map((part) =>
      ((run.msPerJob[part] * run.jobsPerSecond) / 1000).toFixed(2),
    ),
  ]);
  const table = renderTable({ head: HEAD, rows, numbers: { from: 1, to: HEAD.length } });
  const busy = runs.filter(({ inFlight }) => inFlight > 1);
  const ends = busy.map((run) => `${run.processes} + ${run.processes}: ${predict(run).bottleneck}`);
  return `${table}\n\nThe bottleneck by the model: ${ends.join("; ")}.\n`;
}
