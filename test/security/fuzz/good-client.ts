import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { TestClient } from "../../support/clients/test-client.js";

export interface Watched {
  /** Duration of each request in milliseconds, ascending. */
  latencies: number[];
  /** Resident bytes of the service over time. */
  memory: number[];
}

const PAUSE_MS = 20;

/** A well-behaved client: sends one request after another during `work`; each must succeed. */
export async function watchGoodClient(
  client: TestClient,
  pid: number,
  work: Promise<unknown>,
): Promise<Watched> {
  const [latencies, memory]: [number[], number[]] = [[], []];
  let over = false;
  void work.finally(() => (over = true));
  while (!over) {
    const startedAt = performance.now();
    await client.get("{ me { id } queuedJobs(first: 20) { totalCount nodes { id status } } }");
    latencies.push(performance.now() - startedAt);
    memory.push(residentBytes(pid));
    await pause(PAUSE_MS);
  }
  return { latencies: latencies.toSorted((a, b) => a - b), memory };
}

export function quantile(rising: number[], share: number): number {
  return rising[Math.min(rising.length - 1, Math.floor(rising.length * share))] ?? 0;
}

function residentBytes(pid: number): number {
  return (
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024
  );
}
