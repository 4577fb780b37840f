import { Counter, Histogram } from "prom-client";
import type { QueuedJob } from "../queued-job.js";
import type { QueuedJobEventType } from "../queued-job-status.js";
import { gauge, PREFIX } from "./metrics-page.js";
import type { MetricsPage } from "./metrics-page.js";

/** How an attempt ended, as the worker that ran it knows it. */
export interface EndedAttempt {
  job: string;
  outcome: string;
  /** From the claim until the outcome was recorded. */
  seconds: number;
}

export interface JobMetrics {
  /** A step was recorded. */
  onStep(type: QueuedJobEventType, queuedJob: Pick<QueuedJob, "jobName" | "status">): void;
  onAttempt(attempt: EndedAttempt): void;
  onUpkeep(action: "taken_over" | "hint_restored" | "purged_queued_job" | "purged_event", count: number): void;
}

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** `jobs`: the names of the catalogue; of a row of any other nothing is told but that there was one. */
export function createJobMetrics({ registry }: MetricsPage, jobs: Iterable<string>): JobMetrics {
  const known = new Set(jobs);
  const labelOf = (job: string) => (known.has(job) ? job : "other");
  const registers = [registry];
  const steps = new Counter({ name: `${PREFIX}queued_jobs_total`, help: "Steps that this process recorded, by the status that they led to", labelNames: ["job", "status"], registers });
  const attempts = new Counter({ name: `${PREFIX}attempts_total`, help: "Attempts that ended in this worker", labelNames: ["job", "outcome"], registers });
  const duration = new Histogram({ name: `${PREFIX}task_duration_seconds`, help: "Attempts from the claim until their outcome was recorded", labelNames: ["job"], buckets: SECONDS, registers });
  const upkeep = new Counter({ name: `${PREFIX}upkeep_actions_total`, help: "What the reconciler and the clean-up of this worker put right", labelNames: ["action"], registers });
  return {
    onStep(type, { jobName, status }) {
      if (type !== "DELETED" && type !== "PROGRESS") steps.inc({ job: labelOf(jobName), status });
    },
    onAttempt({ job, outcome, seconds }) {
      attempts.inc({ job: labelOf(job), outcome });
      duration.observe({ job: labelOf(job) }, seconds);
    },
    onUpkeep: (action, count) => upkeep.inc({ action }, count),
  };
}

/** What a worker holds now. */
export function gaugeWorker({ registry }: MetricsPage, read: { attempts(): number; resting(): { lane: string; seconds: number }[]; children(): { running: number; waiting: number }; size: number }): void {
  gauge(registry, { name: "attempts_running", help: "Attempts under way in this worker", collect() { this.set(read.attempts()); } });
  gauge(registry, {
    name: "lane_resting_seconds", help: "How long a lane of this worker that has room has taken nothing", labelNames: ["lane"],
    collect() { for (const { lane, seconds } of read.resting()) this.set({ lane }, seconds); },
  });
  gauge(registry, { name: "children_size", help: "Photos that this worker decodes at once at most" }).set(read.size);
  gauge(registry, {
    name: "children_tasks", help: "Tasks in this worker's child processes, and those that wait for one", labelNames: ["state"],
    collect() {
      const { running, waiting } = read.children();
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
}
