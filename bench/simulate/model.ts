// Predicts how many jobs per second a deployment completes, from the processor time that one job
// costs. The law behind it: a part that is busy for D ms per job, and exists n times, completes
// at most n × 1000 / D jobs per second. The part with the lowest limit is the bottleneck.
//
// Two things make the costs of a job vary. Jobs that are under way in one process at the same time
// share statements, so a busy process costs less per job than an idle one. Processes that share a
// core disturb each other's caches, so a job costs more with several of them per core.

/** The parts that spend processor time on a job; the client is the bench itself. */
export const PARTS = ["api", "worker", "postgres", "redis", "client"] as const;
export type Part = (typeof PARTS)[number];

/** A measured run of `npm run bench -- --scale`. */
export interface ScaleRun {
  /** Number of API processes, and as many workers. */
  processes: number;
  /** Submissions under way at the same time. */
  inFlight: number;
  jobsPerSecond: number;
  /** Processor milliseconds per job. */
  msPerJob: Record<Part, number>;
  commitsPerJob: number;
  /** Cores that other programs used. */
  coresElsewhere: number;
}

export interface Measured {
  machine: string;
  cores: number;
  runs: ScaleRun[];
}

/** Costs of one job. */
export interface JobCost {
  ms: Record<Part, number>;
  commits: number;
}

export interface Deployment {
  /** Cores that all parts share. */
  cores: number;
  /** Number of API processes, and as many workers. */
  processes: number;
  inFlight: number;
}

export interface Model {
  /** Returns the costs of a job in a process that has so many jobs under way. */
  costOf(inFlightPerProcess: number): JobCost;
  /** Predicts jobs per second, and names the bottleneck. */
  predict(deployment: Deployment): { jobsPerSecond: number; bottleneck: string };
}

/**
 * Takes the costs from the two runs with one process: one job at a time, and many. The run with the
 * most processes shows what it costs to share cores; those between are predicted.
 */
export function createModel({ runs, cores: measuredOn }: Pick<Measured, "runs" | "cores">): Model {
  const single = runs.filter(({ processes }) => processes === 1);
  const lone = single.find(({ inFlight }) => inFlight === 1);
  const busy = single.find(({ inFlight }) => inFlight > 1);
  if (!lone || !busy) throw new Error("Measure one process with one job and with many in flight");

  /** A batch is in proportion to the jobs under way, and holds at least one. */
  const commitsAt = (inFlight: number): number => {
    const busyBatch = lone.commitsPerJob / busy.commitsPerJob;
    return lone.commitsPerJob / Math.max(1, (busyBatch * inFlight) / busy.inFlight);
  };

  /** A job costs something itself, and something for each commit that it takes part in. */
  const costOf = (inFlight: number): JobCost => {
    const commits = commitsAt(inFlight);
    const share = (commits - busy.commitsPerJob) / (lone.commitsPerJob - busy.commitsPerJob);
    const msOf = (part: Part) =>
      busy.msPerJob[part] + (lone.msPerJob[part] - busy.msPerJob[part]) * share;
    return { commits, ms: recordOf(msOf) };
  };

  /** Jobs per second that the cores allow if sharing them costs nothing. */
  const ofCores = (cores: number, { ms }: JobCost): number =>
    (cores * 1000) / PARTS.reduce((sum, part) => sum + ms[part], 0);

  const densest = runs.reduce((a, b) => (b.processes > a.processes ? b : a));
  const slowest = ofCores(
    coresOf(densest, measuredOn),
    costOf(densest.inFlight / densest.processes),
  );
  const slowerPerProcess =
    densest.processes > 1
      ? Math.max(0, slowest / densest.jobsPerSecond - 1) / (densest.processes - 1)
      : 0;

  const predict = ({ cores, processes, inFlight }: Deployment) => {
    const cost = costOf(inFlight / processes);
    const { ms } = cost;
    const sharing = Math.max(0, (processes * measuredOn) / cores - 1);
    const limits: [name: string, jobsPerSecond: number][] = [
      [
        `${Number(cores.toFixed(1))} cores of the machine`,
        ofCores(cores, cost) / (1 + slowerPerProcess * sharing),
      ],
      // Node, Redis and the bench each use one core; PostgreSQL has a process per connection.
      ["API processes", (processes * 1000) / ms.api],
      ["workers", (processes * 1000) / ms.worker],
      ["Redis", 1000 / ms.redis],
      ["the client of the bench", 1000 / ms.client],
    ];
    const [bottleneck, jobsPerSecond] = limits.reduce((a, b) => (b[1] < a[1] ? b : a));
    return { jobsPerSecond, bottleneck };
  };

  return { costOf, predict };
}

export function recordOf(valueOf: (part: Part) => number): Record<Part, number> {
  return Object.fromEntries(PARTS.map((part) => [part, valueOf(part)])) as Record<Part, number>;
}

/** Maximum cores in use elsewhere at which a measured rate says something. */
const QUIET = 0.2;

/** True if other programs disturbed a run. */
export function isFromBusyMachine({ runs }: Pick<Measured, "runs">): boolean {
  return runs.some(({ coresElsewhere }) => coresElsewhere >= QUIET);
}

/**
 * Returns the cores that a run had. On a busy machine this is what it used, so that a prediction
 * for it compares the costs only.
 */
export function coresOf(run: ScaleRun, cores: number): number {
  if (!isFromBusyMachine({ runs: [run] })) return cores - run.coresElsewhere;
  return (PARTS.reduce((sum, part) => sum + run.msPerJob[part], 0) * run.jobsPerSecond) / 1000;
}
