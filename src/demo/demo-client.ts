import { createClient, type Client } from "graphql-ws";
import { WebSocket } from "ws";
import { resumable } from "../../examples/resumable.js";

export interface Output {
  name: string;
  byteSize: number;
  width: number | null;
  height: number | null;
  url: string;
}

export interface DemoEvent {
  cursor: string;
  type: string;
  queuedJob: {
    id: string;
    status: string;
    progress: number;
    progressMessage: string | null;
    result: unknown;
    error: { message: string } | null;
    outputs: Output[];
    job: { name: string };
  };
}

interface UploadedPhoto {
  id: string;
  width: number;
  height: number;
}

export interface DemoClient {
  upload(bytes: Uint8Array, filename: string): Promise<UploadedPhoto>;
  /**
   * Submits a Job of each name for the photo; also returns the position of the event stream before
   * it.
   */
  submit(names: string[], photoId: string): Promise<{ ids: string[]; eventCursor: string }>;
  /** Passes on the events after the cursor until `isLast` is true; resumes a lost connection. */
  watch(
    after: string,
    onEvent: (event: DemoEvent) => void,
    isLast: (event: DemoEvent) => boolean,
  ): Promise<void>;
  download(url: string): Promise<Buffer>;
  close(): void;
}

const SUBMIT =
  "mutation Submit($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
const EVENTS =
  "subscription Watch($after: String) { queuedJobEvents(after: $after) { cursor type " +
  "queuedJob { id status progress progressMessage result error { message } outputs { " +
  "name byteSize width height url } job { name } } } }";

/**
 * Does in Node what a frontend does: uploads over HTTP, submits over GraphQL, and subscribes over a
 * WebSocket.
 */
export function createDemoClient({ url, token }: { url: string; token: string }): DemoClient {
  const authorization = `Bearer ${token}`;
  const query = createQuery(url, authorization);
  const client: Client = resumable(
    createClient({
      url: `${url.replace(/^http/, "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: () => ({ authorization }),
      retryAttempts: 5,
      shouldRetry: () => true,
    }),
  );
  return {
    upload: (bytes, filename) => upload(url, authorization, bytes, filename),
    async submit(names, photoId) {
      const { queuedJobs } = await query<{ queuedJobs: { eventCursor: string } }>(
        "{ queuedJobs(first: 1) { eventCursor } }",
        {},
      );
      const { enqueueJobs } = await query<{ enqueueJobs: { id: string }[] }>(SUBMIT, {
        inputs: names.map((job) => ({ job, photoIds: [photoId] })),
      });
      return { ids: enqueueJobs.map(({ id }) => id), eventCursor: queuedJobs.eventCursor };
    },
    async watch(after, onEvent, isLast) {
      for await (const { data } of client.iterate<{ queuedJobEvents: DemoEvent }>({
        query: EVENTS,
        variables: { after },
      })) {
        if (!data) continue;
        onEvent(data.queuedJobEvents);
        if (isLast(data.queuedJobEvents)) return;
      }
    },
    download: async (path) => Buffer.from(await (await fetch(new URL(path, url))).arrayBuffer()),
    close: () => void client.dispose(),
  };
}

function createQuery(url: string, authorization: string) {
  return async <Data>(text: string, variables: object): Promise<Data> => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ query: text, variables }),
    });
    const { data, errors } = (await response.json()) as {
      data?: Data;
      errors?: { message: string }[];
    };
    if (errors || !data)
      throw new Error(errors?.[0]?.message ?? `The request failed with status ${response.status}`);
    return data;
  };
}

async function upload(
  url: string,
  authorization: string,
  bytes: Uint8Array,
  filename: string,
): Promise<UploadedPhoto> {
  const response = await fetch(`${url}/photos`, {
    method: "POST",
    headers: {
      authorization,
      "content-type": "image/jpeg",
      "x-filename": encodeURIComponent(filename),
    },
    body: bytes,
  });
  const photo = (await response.json()) as UploadedPhoto & { message?: string };
  if (!response.ok)
    throw new Error(photo.message ?? `The upload failed with status ${response.status}`);
  return photo;
}
