import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "undici";

/** Sends requests to one server over kept-alive connections, one at a time on each. */
export interface ApiClient {
  /** Posts a prepared GraphQL request; throws if the response has errors. */
  post(token: string, body: string): Promise<string>;
  /** Uploads a photo, and returns its id. */
  upload(token: string, bytes: Buffer): Promise<string>;
  close(): Promise<void>;
}

const ENQUEUE =
  "mutation Enqueue($input: EnqueueJobInput!) { enqueueJob(input: $input) { id status version } }";
export const PAGE =
  "query Page { queuedJobs(first: 20) { edges { node { id status createdAt job { name } " +
  "user { id email } } } pageInfo { hasNextPage endCursor } eventCursor } }";

/** Pause after a 503, which comes when the machine is too busy to connect to its database. */
const RETRY_MS = 100;
const MAX_TRIES = 50;

export function createApiClient(url: string, connections: number): ApiClient {
  const pool = new Pool(url, {
    connections,
    pipelining: 1,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
  async function send(
    path: string,
    token: string,
    headers: Record<string, string>,
    body: string | Buffer,
    tries = 1,
  ): Promise<string> {
    const response = await pool.request({
      method: "POST",
      path,
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
    });
    const text = await response.body.text();
    if (response.statusCode === 503 && tries < MAX_TRIES) {
      await pause(RETRY_MS);
      return send(path, token, headers, body, tries + 1);
    }
    if (response.statusCode >= 300 || text.startsWith('{"errors"'))
      throw new Error(`${path} returned ${response.statusCode}: ${text.slice(0, 300)}`);
    return text;
  }
  return {
    post: (token, body) => send("/graphql", token, { "content-type": "application/json" }, body),
    async upload(token, bytes) {
      const { id } = JSON.parse(
        await send(
          "/photos",
          token,
          { "content-type": "image/jpeg", "x-filename": "bench.jpg" },
          bytes,
        ),
      ) as { id: string };
      return id;
    },
    close: () => pool.destroy(),
  };
}

/** Request body of a submission. */
export function enqueueBody(job: string, parameters: object, more: object = {}): string {
  return JSON.stringify({
    query: ENQUEUE,
    operationName: "Enqueue",
    variables: { input: { job, parameters, ...more } },
  });
}

export function enqueuedId(answer: string): string {
  return (JSON.parse(answer) as { data: { enqueueJob: { id: string } } }).data.enqueueJob.id;
}
