import { setTimeout as pause } from "node:timers/promises";
import { SHAPES, type ShapeName } from "../workloads/group-shapes.js";
import { createApiClient } from "./api-client.js";
import { openFeed } from "./feed.js";
import { readEvent } from "./read-event.js";

/** A client that submits groups and receives the ends of their jobs. */
export interface GroupClient {
  /** Submits a group of jobs without work; resolves when it is accepted. */
  submit(shape: ShapeName, size: number): Promise<void>;
  /** Sets the listener for each job that succeeds; it replaces the previous one. */
  onSuccess(listener: (id: string) => void): void;
  close(): Promise<void>;
}

const ENQUEUE =
  "mutation Group($input: EnqueueGroupInput!) { enqueueGroup(input: $input) { id total } }";
const MESSAGE = { n: 1, note: "bench" };
const RETRY_MS = 200;

export async function openGroupClient({
  url,
  token,
  connections,
}: {
  url: string;
  token: string;
  connections: number;
}): Promise<GroupClient> {
  const api = createApiClient(url, connections);
  let listener: (id: string) => void = () => {};
  const feed = await openFeed({
    url,
    token,
    onNext(message) {
      const { id, status } = readEvent(message);
      if (status === "SUCCESS") listener(id);
    },
  });
  const client: GroupClient = {
    async submit(shape, size) {
      await api.post(token, bodyOf(shape, size));
    },
    onSuccess: (next) => void (listener = next),
    async close() {
      feed.close();
      await api.close();
    },
  };
  await untilReceived(client);
  return client;
}

/** No protocol acknowledges subscriptions, so this waits for the end of a job. */
export async function untilReceived({ submit, onSuccess }: GroupClient): Promise<void> {
  let isReceived = false;
  onSuccess(() => (isReceived = true));
  while (!isReceived) {
    await submit("chain", 1);
    await pause(RETRY_MS);
  }
}

function bodyOf(shape: ShapeName, size: number): string {
  const jobs = Array.from({ length: size }, (_, place) => ({
    key: String(place),
    job: "echo",
    parameters: { message: MESSAGE },
    after: SHAPES[shape](place, size).map(String),
  }));
  const variables = { input: { jobs } };
  return JSON.stringify({ query: ENQUEUE, operationName: "Group", variables });
}
