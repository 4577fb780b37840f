import { watchCompletions } from "../client/completions.js";
import type { JobClient } from "../client/job-client.js";
import { startMeter, type Cost } from "../process-figures.js";
import type { Scale } from "../scale.js";
import { percentile } from "../report/statistics.js";

export interface Throughput {
  jobs: number;
  acceptedPerSecond: number;
  /** Measured from the first submission to the last event of an end. */
  completedPerSecond: number;
  acceptP99Ms: number;
  cpuMsPerJob: number;
  /** Growth of what `readCommits` returns; NaN without it. */
  commits: number;
  cost: Cost;
}

/**
 * W1 and W7: measures submitters in a closed loop. The clock stops when the ends of all jobs have arrived
 * on a subscription.
 */
export async function measureThroughput(
  client: JobClient,
  options: Scale["throughput"] & {
    processes: Record<string, number>;
    warmUpSeconds?: number;
    readCommits?: () => Promise<number>;
  },
): Promise<Throughput> {
  const { processes, submitters, warmUpJobs, warmUpSeconds = Infinity, seconds, jobs } = options;
  const warmAt = performance.now() + warmUpSeconds * 1000;
  await submit(client, {
    submitters,
    isOver: (submitted) => submitted >= warmUpJobs || performance.now() >= warmAt,
  });
  const { readCommits = async () => Number.NaN } = options;
  const commitsBefore = await readCommits();
  const stop = startMeter(processes);
  const until = performance.now() + seconds * 1000;
  const run = await submit(client, {
    submitters,
    isOver: (submitted) => submitted >= jobs && performance.now() >= until,
  });
  const cost = stop();
  return {
    jobs: run.acceptMs.length,
    commits: (await readCommits()) - commitsBefore,
    acceptedPerSecond: run.acceptMs.length / run.acceptSeconds,
    completedPerSecond: run.acceptMs.length / run.completeSeconds,
    acceptP99Ms: percentile(run.acceptMs, 0.99),
    cpuMsPerJob: cost.totalMs / run.acceptMs.length,
    cost,
  };
}

async function submit(
  client: JobClient,
  { submitters, isOver }: { submitters: number; isOver: (submitted: number) => boolean },
): Promise<{ acceptMs: number[]; acceptSeconds: number; completeSeconds: number }> {
  const completions = watchCompletions(client);
  const ids: string[] = [];
  const acceptMs: number[] = [];
  const from = performance.now();
  await Promise.all(
    Array.from({ length: submitters }, async () => {
      while (!isOver(ids.length)) {
        const sent = performance.now();
        ids.push(await client.submit());
        acceptMs.push(performance.now() - sent);
      }
    }),
  );
  const accepted = performance.now();
  await completions.all(ids);
  const last = ids.reduce((latest, id) => Math.max(latest, completions.at.get(id) ?? 0), 0);
  return {
    acceptMs,
    acceptSeconds: (accepted - from) / 1000,
    completeSeconds: (last - from) / 1000,
  };
}
