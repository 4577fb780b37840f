import { createClient, type Client, type ClientOptions } from "graphql-ws";
import {
  MyJobsDocument,
  SubmitDocument,
  WatchDocument,
  type MyJobsQuery,
  type SubmitMutationVariables,
  type WatchSubscription,
  type TypedDocumentString,
} from "./operations.js";
import { resumable } from "./resumable.js";

export type JobRow = MyJobsQuery["queuedJobs"]["edges"][number]["node"];
export type JobEvent = WatchSubscription["queuedJobEvents"];

/**
 * A client without a framework: upload, submit, and a live list of jobs. `getToken` is called
 * before each connection and each request.
 */
export function createPhotoClient({
  api,
  getToken,
  ...socket
}: { api: string; getToken: () => Promise<string> } & Pick<ClientOptions, "webSocketImpl">) {
  const authorization = async (): Promise<string> => `Bearer ${await getToken()}`;
  // Without shouldRetry the client gives up when its first attempt to connect fails, for example
  // while the service restarts.
  const events = resumable(
    createClient({
      ...socket,
      url: `${api.replace(/^http/, "ws")}/graphql`,
      retryAttempts: Infinity,
      shouldRetry: () => true,
      connectionParams: async () => ({ authorization: await authorization() }),
    }),
  );

  const service: Service = { api, authorization };
  return {
    /** Resolves with the Photo; throws an Error with the service's `code`. */
    upload: (file: Blob, name: string) => upload(service, file, name),
    submit: async (input: SubmitMutationVariables["input"]): Promise<JobRow> =>
      (await ask(service, SubmitDocument, { input })).enqueueJob,
    /**
     * Calls back with the user's newest jobs, now and after every event. It survives lost
     * connections. Returns a function that stops it.
     */
    watch: (onChange: OnChange) => watch(service, events, onChange),
    close: () => void events.dispose(),
  };
}

interface Service {
  api: string;
  authorization(): Promise<string>;
}

type OnChange = (jobs: JobRow[], event: JobEvent | null) => void;

async function ask<Data, Variables>(
  { api, authorization }: Service,
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(`${api}/graphql`, {
    method: "POST",
    headers: { authorization: await authorization(), "content-type": "application/json" },
    body: JSON.stringify({ query: String(document), variables }),
  });
  const { data, errors } = (await response.json()) as {
    data?: Data;
    errors?: { message: string; extensions: { code: string } }[];
  };
  if (errors?.[0]) throw Object.assign(new Error(errors[0].message), errors[0].extensions);
  if (!data) throw new Error(`The service answered ${response.status}`);
  return data;
}

async function upload(
  { api, authorization }: Service,
  file: Blob,
  name: string,
): Promise<{ id: string; width: number; height: number }> {
  const response = await fetch(`${api}/photos`, {
    method: "POST",
    body: file,
    headers: {
      authorization: await authorization(),
      "content-type": file.type,
      "x-filename": encodeURIComponent(name),
    },
  });
  const answer = (await response.json()) as {
    id: string;
    width: number;
    height: number;
    code?: string;
    message?: string;
  };
  if (!response.ok) throw Object.assign(new Error(answer.message), { code: answer.code });
  return answer;
}

async function watch(service: Service, events: Client, onChange: OnChange): Promise<() => void> {
  let stop: (() => void) | null = () => {};
  async function start(): Promise<void> {
    const { queuedJobs } = await ask(service, MyJobsDocument, {});
    const jobs = new Map(queuedJobs.edges.map(({ node }) => [node.id, node]));
    onChange([...jobs.values()], null);
    stop &&= events.subscribe<WatchSubscription>(
      { query: String(WatchDocument), variables: { after: queuedJobs.eventCursor } },
      {
        next({ data, errors }) {
          // The connection was lost for longer than events are kept: read the list again.
          if (errors?.[0]?.extensions?.["code"] === "CURSOR_EXPIRED") return void start();
          if (!data) throw errors;
          apply(jobs, data.queuedJobEvents);
          // A newer job has a greater id.
          const newestFirst = [...jobs.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1));
          onChange(newestFirst, data.queuedJobEvents);
        },
        error: (error) => {
          throw error;
        },
        complete: () => {},
      },
    );
  }
  await start();
  return () => {
    stop?.();
    stop = null;
  };
}

function apply(jobs: Map<string, JobRow>, { type, queuedJob }: JobEvent): void {
  if (type === "DELETED") jobs.delete(queuedJob.id);
  // The page may be newer than the event.
  else if (queuedJob.version >= (jobs.get(queuedJob.id)?.version ?? 0))
    jobs.set(queuedJob.id, queuedJob);
}
