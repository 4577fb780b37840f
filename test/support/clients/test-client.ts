import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { eventually } from "../runner/eventually.js";

export interface GraphqlError {
  message: string;
  path?: (string | number)[];
  extensions: {
    code: string;
    issues?: { path: (string | number)[]; message: string }[];
    retryAfterMs?: number;
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line typescript/no-explicit-any -- the test knows the shape
  data: any;
  errors: GraphqlError[] | undefined;
  extensions: Record<string, unknown> | undefined;
  /** Code of the first error. */
  code: string | undefined;
}

export interface QueuedJobFields {
  id: string;
  status: string;
  version: number;
  progress: number;
  progressMessage: string | null;
  attempts: number;
  result: unknown;
  error: { code: string; message: string } | null;
  job: { name: string };
}

export interface EventFields {
  cursor: string;
  type: string;
  at: string;
  queuedJob: QueuedJobFields;
}

export interface Stream {
  events: EventFields[];
  /** How the stream ended; null while it is open. */
  end: {
    complete?: true;
    errors?: GraphqlError[];
    close?: { code: number; reason: string };
  } | null;
  /** Resolves with the first event that passes the test; fails after the deadline. */
  next(
    what: string,
    test: (event: EventFields) => boolean,
    deadlineMs?: number,
  ): Promise<EventFields>;
  ended(deadlineMs?: number): Promise<NonNullable<Stream["end"]>>;
  /** Completes the subscription. */
  stop(): void;
  /** Cuts the connection. */
  cut(): void;
}

export interface TestClient {
  url: string;
  token: string;
  ask(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>;
  /** Like `ask`, but throws if the response has errors. */
  // eslint-disable-next-line typescript/no-explicit-any -- as above
  get(query: string, variables?: object): Promise<any>;
  enqueue(job: string, parameters?: object, more?: object): Promise<QueuedJobFields>;
  job(id: string): Promise<QueuedJobFields | null>;
  /** Resolves with the QueuedJob when it has finished. */
  finished(id: string, deadlineMs?: number): Promise<QueuedJobFields>;
  /** The current cursor of the event stream. */
  cursor(): Promise<string>;
  events(options?: {
    id?: string;
    after?: string;
    includeProgress?: boolean;
    url?: string;
  }): Stream;
  upload(
    bytes: Uint8Array,
    options?: { type?: string; filename?: string; form?: boolean },
  ): Promise<{ status: number; json: Record<string, unknown> }>;
}

export const JOB_FIELDS =
  "id status version progress progressMessage attempts result error { code message } job { name }";
const EVENTS =
  "subscription ($id: ID, $after: String, $includeProgress: Boolean = true) { " +
  "queuedJobEvents(queuedJobId: $id, after: $after, includeProgress: $includeProgress) { " +
  `cursor type at queuedJob { ${JOB_FIELDS} } } }`;
const ENQUEUE = `mutation ($input: EnqueueJobInput!) {
  enqueueJob(input: $input) { ${JOB_FIELDS} } }`;
const FINISHED = ["SUCCESS", "FAILED", "CANCELLED"];

/** A user's client, over the network. */
export function createTestClient(url: string, token: string): TestClient {
  const authorization = `Bearer ${token}`;
  const ask: TestClient["ask"] = (query, variables = {}, headers = {}) =>
    post(`${url}/graphql`, { query, variables }, { authorization, ...headers });

  async function get(query: string, variables: object = {}) {
    const answer = await ask(query, variables);
    if (answer.errors) throw new Error(`${answer.code}: ${answer.errors[0]?.message}`);
    return answer.data;
  }

  const job = async (id: string): Promise<QueuedJobFields | null> =>
    (await get(`query ($id: ID!) { queuedJob(id: $id) { ${JOB_FIELDS} } }`, { id })).queuedJob;

  return {
    url,
    token,
    ask,
    get,
    enqueue: async (name, parameters = {}, more = {}) =>
      (await get(ENQUEUE, { input: { job: name, parameters, ...more } })).enqueueJob,
    job,
    finished: (id, deadlineMs) =>
      eventually(
        `${id} has finished`,
        async () => {
          const queuedJob = await job(id);
          return queuedJob !== null && FINISHED.includes(queuedJob.status) && queuedJob;
        },
        deadlineMs,
      ),
    cursor: async () =>
      (await get("{ queuedJobs(first: 1) { eventCursor } }")).queuedJobs.eventCursor,
    events: ({ id, after, includeProgress = true, url: other = url } = {}) =>
      subscribe(`${other.replace(/^http/, "ws")}/graphql`, authorization, {
        id,
        after,
        includeProgress,
      }),
    upload: (bytes, options) => upload(`${url}/photos`, authorization, bytes, options),
  };
}

async function post(url: string, body: object, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const { data, errors, extensions } = (await response.json()) as Pick<
    Answer,
    "data" | "errors" | "extensions"
  >;
  return {
    status: response.status,
    headers: response.headers,
    data,
    errors,
    extensions,
    code: errors?.[0]?.extensions.code,
  };
}

async function upload(
  url: string,
  authorization: string,
  bytes: Uint8Array,
  {
    type = "image/jpeg",
    filename = "photo.jpg",
    form = false,
  }: { type?: string; filename?: string; form?: boolean } = {},
): Promise<{ status: number; json: Record<string, unknown> }> {
  const body = form ? new FormData() : Buffer.from(bytes);
  if (body instanceof FormData) body.append("file", new Blob([bytes], { type }), filename);
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      authorization,
      ...(!form && { "content-type": type, "x-filename": encodeURIComponent(filename) }),
    },
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

function subscribe(url: string, authorization: string, variables: Record<string, unknown>): Stream {
  const sockets: WebSocket[] = [];
  class CuttableSocket extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      // A socket that is cut while it connects emits an error.
      this.on("error", () => {});
      sockets.push(this);
    }
  }
  const client = createClient({
    url,
    webSocketImpl: CuttableSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
  });
  let stopped = false;
  const off = client.subscribe<{ queuedJobEvents: EventFields }>(
    { query: EVENTS, variables },
    {
      next({ data, errors }) {
        if (errors) stream.end ??= { errors: errors as unknown as GraphqlError[] };
        else if (data) stream.events.push(data.queuedJobEvents);
      },
      error(error) {
        const closed = error as { code?: number; reason?: string };
        stream.end ??= Array.isArray(error)
          ? { errors: error as unknown as GraphqlError[] }
          : { close: { code: closed.code ?? 0, reason: String(closed.reason ?? "") } };
      },
      complete() {
        if (!stopped) stream.end ??= { complete: true };
      },
    },
  );
  const stream: Stream = {
    events: [],
    end: null,
    next: (what, test, deadlineMs) => eventually(what, () => stream.events.find(test), deadlineMs),
    ended: (deadlineMs) => eventually("the stream has ended", () => stream.end, deadlineMs),
    stop() {
      stopped = true;
      off();
      // The promise rejects if the connection was lost before.
      Promise.resolve(client.dispose()).catch(() => {});
    },
    cut: () => sockets.forEach((socket) => socket.terminate()),
  };
  return stream;
}
