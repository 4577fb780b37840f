import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, enqueueBody, enqueuedId } from "./api-client.js";
import { openFeed } from "./feed.js";
import { readEvent } from "./read-event.js";

/** A client that submits jobs and receives their events, independent of the kind of queue. */
export interface JobClient {
  /** Submits a job without work; resolves with its id when it is accepted. */
  submit(): Promise<string>;
  /** Sets the listener for events; it replaces the previous one. */
  onStatus(listener: (id: string, status: string) => void): void;
  close(): Promise<void>;
}

export const ECHO_BODY = enqueueBody("echo", { message: { n: 1, note: "bench" } });
const RETRY_MS = 200;

/** Opens a client over GraphQL, with several connections for submissions and one feed. */
export async function openJobClient(options: {
  url: string;
  token: string;
  connections: number;
}): Promise<JobClient> {
  const { url, token } = options;
  const api = createApiClient(url, options.connections);
  let listener: (id: string, status: string) => void = () => {};
  const feed = await openFeed({
    url,
    token,
    onNext(message) {
      const { id, status } = readEvent(message);
      listener(id, status);
    },
  });
  const submit = async () => enqueuedId(await api.post(token, ECHO_BODY));
  await untilReceived(submit, (next) => (listener = next));
  return {
    submit,
    onStatus: (next) => void (listener = next),
    async close() {
      feed.close();
      await api.close();
    },
  };
}

/** The protocol does not acknowledge subscriptions, so this waits for the end of a job. */
export async function untilReceived(
  submit: () => Promise<string>,
  onStatus: (listener: (id: string, status: string) => void) => void,
): Promise<void> {
  let isReceived = false;
  onStatus((_id, status) => (isReceived ||= status === "SUCCESS"));
  while (!isReceived) {
    await submit();
    await pause(RETRY_MS);
  }
}
