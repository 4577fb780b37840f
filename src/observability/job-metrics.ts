import { Counter, Histogram } from "prom-client";
import type { QueuedJob } from "../domain/queued-job.js";
import { QUEUED_JOB_STATUSES, type QueuedJobEventType } from "../domain/queued-job-status.js";
import { gauge, PREFIX, type MetricsPage } from "./metrics-page.js";

/** The end of an attempt, as the worker that ran it reports it. */
export interface EndedAttempt {
  job: string;
  outcome: (typeof OUTCOMES)[number];
  /** Seconds from the claim until the outcome was recorded. */
  seconds: number;
}

type OnStep = (type: QueuedJobEventType, queuedJob: Pick<QueuedJob, "jobName" | "status">) => void;

export interface WorkMetrics {
  onAttempt(attempt: EndedAttempt): void;
  onMaintenance(action: (typeof ACTIONS)[number], count: number): void;
}

const OUTCOMES = ["succeeded", "failed", "retrying", "handed_back", "lost", "discarded"] as const;
const ACTIONS = [
  "taken_over",
  "cancelled_in_group",
  "hint_restored",
  "purged_queued_job",
  "purged_event",
] as const;

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Labels by the Jobs in the catalogue; every other name becomes "other". */
const labelsOf = (jobs: ReadonlySet<string>) => (job: string) => (jobs.has(job) ? job : "other");

/**
 * Counts the steps that a process records. Each counter starts at 0, because Prometheus cannot see
 * the increase to a first value of 1.
 */
export function createStepMetrics({ registry }: MetricsPage, jobs: ReadonlySet<string>): OnStep {
  const labelOf = labelsOf(jobs);
  const steps = new Counter({
    name: `${PREFIX}queued_jobs_total`,
    help: "Steps recorded by this process, by the resulting status",
    labelNames: ["job", "status"],
    registers: [registry],
  });
  for (const job of jobs) for (const status of QUEUED_JOB_STATUSES) steps.inc({ job, status }, 0);
  return (type, { jobName, status }) => {
    if (type !== "DELETED" && type !== "PROGRESS") steps.inc({ job: labelOf(jobName), status });
  };
}

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
    help: "Duration of attempts from the claim until their outcome was recorded",
    labelNames: ["job"],
    buckets: SECONDS,
    registers,
  });
  const maintenance = new Counter({
    name: `${PREFIX}upkeep_actions_total`,
    help: "Repairs by the reconciler and the clean-up of this worker",
    labelNames: ["action"],
    registers,
  });
  for (const job of jobs) for (const outcome of OUTCOMES) attempts.inc({ job, outcome }, 0);
  for (const action of ACTIONS) maintenance.inc({ action }, 0);
  return {
    onAttempt({ job, outcome, seconds }) {
      attempts.inc({ job: labelOf(job), outcome });
      duration.observe({ job: labelOf(job) }, seconds);
    },
    onMaintenance: (action, count) => maintenance.inc({ action }, count),
  };
}

/** Gauges of a worker's current state. */
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
    help: "Attempts running in this worker",
    collect() {
      this.set(read.attempts());
    },
  });
  gauge(registry, {
    name: "lane_resting_seconds",
    help: "Time for which a lane of this worker has had room but has taken no hint",
    labelNames: ["lane"],
    collect() {
      for (const { lane, seconds } of read.resting()) this.set({ lane }, seconds);
    },
  });
  gauge(registry, {
    name: "children_size",
    help: "Maximum photos that this worker decodes at once",
  }).set(read.size);
  gauge(registry, {
    name: "children_tasks",
    help: "Tasks that run in this worker's child processes or wait for one",
    labelNames: ["state"],
    collect() {
      const { running, waiting } = read.children();
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
}
