import { setTimeout as pause } from "node:timers/promises";
import { watchCompletions } from "../client/completions.js";
import type { JobClient } from "../client/job-client.js";
import { percentile } from "../statistics.js";

export interface Latency {
  p50Ms: number;
  p99Ms: number;
}

const WARM_UP = 64;

/**
 * W2: jobs at a steady pace, slow enough that each is alone; from its submission to the message that tells its end. The pace is
 * kept whatever the answers do, so that a slow one does not hide those that would have come behind it.
 */
export async function measureLatency(client: JobClient, { perSecond, seconds }: { perSecond: number; seconds: number }): Promise<Latency> {
  const completions = watchCompletions(client);
  const early: string[] = [];
  for (let i = 0; i < WARM_UP; i++) early.push(await client.submit());
  await completions.all(early);

  const from = performance.now();
  const jobs = await Promise.all(Array.from({ length: perSecond * seconds }, async (_, i) => {
    await pause(from + (i * 1000) / perSecond - performance.now());
    const sent = performance.now();
    return { sent, id: await client.submit() };
  }));
  await completions.all(jobs.map(({ id }) => id));
  const waits = jobs.map(({ sent, id }) => (completions.at.get(id) ?? Number.NaN) - sent);
  return { p50Ms: percentile(waits, 0.5), p99Ms: percentile(waits, 0.99) };
}
