import { createApiClient, PAGE } from "../client/api-client.js";
import { startMeter } from "../process-figures.js";
import type { Cost } from "../process-figures.js";

export interface PageFigures {
  requestsPerSecond: number;
  cpuMsPerRequest: number;
  cost: Cost;
}

const BODY = JSON.stringify({ query: PAGE, operationName: "Page" });

/** W4: the newest twenty of a person who has more, with job and user, over so many kept-alive connections. */
export async function measurePage(options: { url: string; token: string; processes: Record<string, number>; connections: number; seconds: number }): Promise<PageFigures> {
  const { url, token, connections, seconds } = options;
  const client = createApiClient(url, connections);
  const readPage = () => client.post(token, BODY);
  // A fast error is not a fast page.
  const { data } = JSON.parse(await readPage()) as { data: { queuedJobs: { edges: unknown[] } } };
  if (data.queuedJobs.edges.length !== 20) throw new Error(`the page has ${data.queuedJobs.edges.length} rows, not 20`);
  await readFor(readPage, { connections, seconds: Math.min(1, seconds) });
  const stop = startMeter(options.processes);
  const requests = await readFor(readPage, { connections, seconds });
  const cost = stop();
  await client.close();
  return { requestsPerSecond: requests / cost.seconds, cpuMsPerRequest: cost.totalMs / requests, cost };
}

async function readFor(readPage: () => Promise<string>, { connections, seconds }: { connections: number; seconds: number }): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let requests = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    for (; performance.now() < until; requests++) await readPage();
  }));
  return requests;
}
