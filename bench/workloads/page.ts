import { createApiClient, PAGE } from "../client/api-client.js";
import { startMeter, type Cost } from "../process-figures.js";
import type { Scale } from "../scale.js";

export interface PageResult {
  requestsPerSecond: number;
  cpuMsPerRequest: number;
  cost: Cost;
}

const BODY = JSON.stringify({ query: PAGE, operationName: "Page" });

/** W4: reads a person's newest twenty jobs, with job and user, over kept-alive connections. */
export async function measurePage(
  options: Scale["page"] & { url: string; token: string; processes: Record<string, number> },
): Promise<PageResult> {
  const { url, token, connections } = options;
  const client = createApiClient(url, connections);
  const readPage = () => client.post(token, BODY);
  // Checks the page first, because errors are faster than pages.
  const { data } = JSON.parse(await readPage()) as { data: { queuedJobs: { edges: unknown[] } } };
  if (data.queuedJobs.edges.length !== 20)
    throw new Error(`the page has ${data.queuedJobs.edges.length} rows, not 20`);
  await readOften(readPage, { connections, seconds: 0, requests: options.warmUpRequests });
  const stop = startMeter(options.processes);
  const requests = await readOften(readPage, options);
  const cost = stop();
  await client.close();
  return {
    requestsPerSecond: requests / cost.seconds,
    cpuMsPerRequest: cost.totalMs / requests,
    cost,
  };
}

async function readOften(
  readPage: () => Promise<string>,
  { connections, seconds, requests }: Pick<Scale["page"], "connections" | "seconds" | "requests">,
): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let sent = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (; sent < requests || performance.now() < until; sent++) await readPage();
    }),
  );
  return sent;
}
