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
 * W2: measures the time from a submission to the event of its end, one job at a time, at most
 * `perSecond`. A fixed rate would measure the queue and not the job on a busy machine.
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
