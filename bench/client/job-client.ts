import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, enqueueBody, enqueuedId } from "./api-client.js";
import { openFeed } from "./feed.js";
import { readTold } from "./told.js";

/** Somebody who submits jobs and is told of each step of them, however their queue does that. */
export interface JobClient {
  /** Submits one that does nothing; resolves with its id when it is accepted. */
  submit(): Promise<string>;
  /** Who listens to what is told; the last one that was set. */
  onTold(listener: (id: string, status: string) => void): void;
  close(): Promise<void>;
}

const BODY = enqueueBody("echo", { message: { n: 1, note: "bench" } });
const EAR_MS = 200;

/** Over GraphQL: so many connections to submit on, and one feed. */
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
      const { id, status } = readTold(message);
      listener(id, status);
    },
  });
  const submit = async () => enqueuedId(await api.post(token, BODY));
  await untilHeard(submit, (next) => (listener = next));
  return {
    submit,
    onTold: (next) => void (listener = next),
    async close() {
      feed.close();
      await api.close();
    },
  };
}

/** A subscription is not acknowledged: it stands when the end of a job was heard on it. */
async function untilHeard(
  submit: () => Promise<string>,
  onTold: (listener: (id: string, status: string) => void) => void,
): Promise<void> {
  let heard = false;
  onTold((_id, status) => (heard ||= status === "SUCCESS"));
  while (!heard) {
    await submit();
    await pause(EAR_MS);
  }
}
