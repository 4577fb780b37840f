import { Counter, Histogram } from "prom-client";
import type { QueuedJob } from "../domain/queued-job.js";
import { QUEUED_JOB_STATUSES, type QueuedJobEventType } from "../domain/queued-job-status.js";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** How an attempt ended, as the worker that ran it knows it. */
export interface EndedAttempt {
  job: string;
  outcome: (typeof OUTCOMES)[number];
  /** From the claim until the outcome was recorded. */
  seconds: number;
}

type OnStep = (type: QueuedJobEventType, queuedJob: Pick<QueuedJob, "jobName" | "status">) => void;

export interface WorkMetrics {
  onAttempt(attempt: EndedAttempt): void;
  onMaintenance(action: (typeof ACTIONS)[number], count: number): void;
}

const OUTCOMES = ["succeeded", "failed", "retrying", "handed_back", "lost", "discarded"] as const;
const ACTIONS = ["taken_over", "hint_restored", "purged_queued_job", "purged_event"] as const;

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * `jobs`: the names of the catalogue; of a row of any other nothing is told but that there was one.
 */
const labelsOf = (jobs: ReadonlySet<string>) => (job: string) => (jobs.has(job) ? job : "other");

/**
 * The steps that a process records. Each begins at 0: of a series that begins at 1, the first
 * increase is never seen.
 */
export function createStepMetrics({ registry }: MetricsPage, jobs: ReadonlySet<string>): OnStep {
  const labelOf = labelsOf(jobs);
  const steps = new Counter({
    name: `${PREFIX}queued_jobs_total`,
    help: "Steps that this process recorded, by the status that they led to",
    labelNames: ["job", "status"],
    registers: [registry],
  });
  for (const job of jobs) for (const status of QUEUED_JOB_STATUSES) steps.inc({ job, status }, 0);
  return (type, { jobName, status }) => {
    if (type !== "DELETED" && type !== "PROGRESS") steps.inc({ job: labelOf(jobName), status });
  };
}

/** What a worker does. */
export function createWorkMetrics(
  { registry }: MetricsPage,
  jobs: ReadonlySet<string>,
): WorkMetrics {
  const labelOf = labelsOf(jobs);
  const registers = [registry];
  const attempts = new Counter({
    name: `${PREFIX}attempts_total`,
    help: "Attempts that ended in this worker",
    labelNames: ["job", "outcome"],
    registers,
  });
  const duration = new Histogram({
    name: `${PREFIX}task_duration_seconds`,
    help: "Attempts from the claim until their outcome was recorded",
    labelNames: ["job"],
    buckets: SECONDS,
    registers,
  });
  const upkeep = new Counter({
    name: `${PREFIX}upkeep_actions_total`,
    help: "What the reconciler and the clean-up of this worker put right",
    labelNames: ["action"],
    registers,
  });
  for (const job of jobs) for (const outcome of OUTCOMES) attempts.inc({ job, outcome }, 0);
  for (const action of ACTIONS) upkeep.inc({ action }, 0);
  return {
    onAttempt({ job, outcome, seconds }) {
      attempts.inc({ job: labelOf(job), outcome });
      duration.observe({ job: labelOf(job) }, seconds);
    },
    onMaintenance: (action, count) => upkeep.inc({ action }, count),
  };
}

/** What a worker holds now. */
export function gaugeWorker(
  { registry }: MetricsPage,
  read: {
    attempts(): number;
    resting(): { lane: string; seconds: number }[];
    children(): { running: number; waiting: number };
    size: number;
  },
): void {
  gauge(registry, {
    name: "attempts_running",
    help: "Attempts under way in this worker",
    collect() {
      this.set(read.attempts());
    },
  });
  gauge(registry, {
    name: "lane_resting_seconds",
    help: "How long a lane of this worker that has room has taken nothing",
    labelNames: ["lane"],
    collect() {
      for (const { lane, seconds } of read.resting()) this.set({ lane }, seconds);
    },
  });
  gauge(registry, {
    name: "children_size",
    help: "Photos that this worker decodes at once at most",
  }).set(read.size);
  gauge(registry, {
    name: "children_tasks",
    help: "Tasks in this worker's child processes, and those that wait for one",
    labelNames: ["state"],
    collect() {
      const { running, waiting } = read.children();
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
}
