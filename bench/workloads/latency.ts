import { setTimeout as pause } from "node:timers/promises";
import { watchCompletions } from "../client/completions.js";
import type { JobClient } from "../client/job-client.js";
import { percentile } from "../report/statistics.js";

export interface Latency {
  p50Ms: number;
  p99Ms: number;
}

const WARM_UP = 64;

/**
 * W2: one job at a time, so many a second unless they take longer; from its submission to the
 * message that tells its end. Not at a pace that is kept whatever the answers do: where that is
 * more than the machine can do just now, it shows the queue and not the job.
 */
export async function measureLatency(
  client: JobClient,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Latency> {
  const completions = watchCompletions(client);
  async function wait(): Promise<number> {
    const sent = performance.now();
    const id = await client.submit();
    await completions.all([id]);
    return (completions.at.get(id) ?? Number.NaN) - sent;
  }

  for (let i = 0; i < WARM_UP; i++) await wait();
  const waits: number[] = [];
  for (
    let due = performance.now();
    waits.length < perSecond * seconds;
    due = Math.max(due + 1000 / perSecond, performance.now())
  ) {
    await pause(due - performance.now());
    waits.push(await wait());
  }
  return { p50Ms: percentile(waits, 0.5), p99Ms: percentile(waits, 0.99) };
}
