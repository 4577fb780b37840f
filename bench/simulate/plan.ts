import { renderTable } from "../report/render-table.js";
import type { Model } from "./model.js";

export interface Load {
  jobsPerSecond: number;
  sockets: number;
  /** Processor milliseconds of a job's own work, such as decoding a photo. */
  workMs: number;
}

/** Jobs under way in one process: about half of those in the measurement under full load. */
const IN_FLIGHT = 32;
/** Share of each part that is planned for; the rest is for peaks, upgrades and failures. */
const PLANNED = 0.6;
/** Processes of each kind, so that one can be replaced. */
const LEAST = 2;
/** An API process with so many sockets takes about 400 MB. */
const SOCKETS_PER_PROCESS = 10_000;
/** Cores that one machine gives to PostgreSQL. */
const CORES_PER_PRIMARY = 32;
/** Commits per second that the disk of a primary makes durable; measured 10,500 on one disk. */
const COMMITS_PER_PRIMARY = 10_000;

/** The parts that a load needs. */
export interface Plan {
  load: Load;
  apis: number;
  workers: number;
  /** Cores for the work of the jobs themselves, beside the worker processes. */
  workCores: number;
  /** Cores of all primaries together. */
  postgresCores: number;
  primaries: number;
  /** Queues, each in its own slot: one core of Redis serves one slot. */
  slots: number;
  /** Connections that all processes open at most. */
  connections: number;
  /** The first limit that more processes do not relieve. */
  limit: { what: string; jobsPerSecond: number; relief: string };
}

export function planFor(model: Model, load: Load): Plan {
  const { ms, commits } = model.costOf(IN_FLIGHT);
  const { jobsPerSecond, sockets, workMs } = load;
  const coresOf = (msPerJob: number) => (jobsPerSecond * msPerJob) / 1000 / PLANNED;
  const apis = Math.max(
    LEAST,
    Math.ceil(coresOf(ms.api)),
    Math.ceil(sockets / SOCKETS_PER_PROCESS),
  );
  const workers = Math.max(LEAST, Math.ceil(coresOf(ms.worker)));
  const limits = [
    {
      what: "commits of one primary",
      jobsPerSecond: (PLANNED * COMMITS_PER_PRIMARY) / commits,
      relief: "shard by user",
    },
    {
      what: `${CORES_PER_PRIMARY} cores of one primary`,
      jobsPerSecond: (PLANNED * CORES_PER_PRIMARY * 1000) / ms.postgres,
      relief: "shard by user",
    },
    {
      what: "one slot of Redis",
      jobsPerSecond: (PLANNED * 1000) / ms.redis,
      relief: "queues by hash of the user",
    },
  ];
  const [byCommits, byCores, bySlot] = limits.map((limit) =>
    Math.ceil(jobsPerSecond / limit.jobsPerSecond),
  ) as [number, number, number];
  return {
    load,
    apis,
    workers,
    workCores: Math.ceil(coresOf(workMs)),
    postgresCores: Math.max(1, Math.ceil(coresOf(ms.postgres))),
    primaries: Math.max(byCommits, byCores),
    slots: bySlot,
    connections: 12 * (apis + workers) + 20,
    limit: limits.reduce((a, b) => (b.jobsPerSecond < a.jobsPerSecond ? b : a)),
  };
}

const HEAD = [
  "jobs/s",
  "sockets",
  "API processes",
  "workers",
  "cores of work",
  "cores of PostgreSQL",
  "primaries",
  "slots of Redis",
  "connections",
];

const BUSY = " The costs come from a machine that other programs used, so they are too high.";

/**
 * Renders a table for several loads, and the first limit that more processes do not relieve.
 * `isBusy`: the measurement is from a busy machine.
 */
export function renderPlans(plans: readonly Plan[], isBusy: boolean): string {
  const rows = plans.map(({ load, ...plan }) =>
    [
      load.jobsPerSecond,
      load.sockets,
      plan.apis,
      plan.workers,
      plan.workCores,
      plan.postgresCores,
      plan.primaries,
      plan.slots,
      plan.connections,
    ].map((count) => count.toLocaleString("en")),
  );
  const table = renderTable({ head: HEAD, rows, numbers: { from: 0, to: HEAD.length } });
  const [plan] = plans;
  if (!plan) return table;
  const { what, jobsPerSecond, relief } = plan.limit;
  const least = Math.round(jobsPerSecond).toLocaleString("en");
  const limit = `The first limit that more processes do not relieve: ${what}, at ${least} jobs/s`;
  return `${table}\n\n${limit}; then ${relief}.${isBusy ? BUSY : ""}\n`;
}
