import { eventually } from "../runner/eventually.js";
import { JOB_FIELDS, type EventFields, type GraphqlError } from "./test-client.js";

export interface EventStream {
  status: number;
  headers: Headers;
  /** Parsed data of each `next` event. */
  results: {
    data?: { queuedJobEvents?: EventFields; enqueueJob?: { id: string } };
    errors?: GraphqlError[];
  }[];
  events: EventFields[];
  comments: number;
  /** How the stream ended; null while it is open. */
  end: "complete" | "cut" | null;
  next(what: string, test: (event: EventFields) => boolean): Promise<EventFields>;
  ended(deadlineMs?: number): Promise<"complete" | "cut">;
  stop(): void;
}

export const STREAMED_EVENTS =
  "subscription ($id: ID, $after: String) { queuedJobEvents(queuedJobId: $id, after: " +
  `$after) { cursor type at queuedJob { ${JOB_FIELDS} } } }`;

/** Reads `/graphql/stream` without a client library. */
export async function openEventStream(
  url: string,
  token: string | null,
  request: unknown,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(`${url}/graphql/stream`, {
    method: "POST",
    signal: abort.signal,
    body: typeof request === "string" ? request : JSON.stringify(request),
    headers: {
      accept: "text/event-stream",
      "content-type": "application/json",
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  const stream: EventStream = {
    status: response.status,
    headers: response.headers,
    results: [],
    events: [],
    comments: 0,
    end: null,
    next: (what, test) => eventually(what, () => stream.events.find(test)),
    ended: (deadlineMs) => eventually("the stream has ended", () => stream.end, deadlineMs),
    stop: () => abort.abort(),
  };
  void read(response, stream)
    .catch(() => {})
    .finally(() => (stream.end ??= "cut"));
  return stream;
}

async function read(response: Response, stream: EventStream): Promise<void> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
    return void stream.results.push((await response.json()) as EventStream["results"][number]);
  let rest = "";
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const frames = (rest + part).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) take(frame, stream);
  }
}

function take(frame: string, stream: EventStream): void {
  if (frame === ":") return void stream.comments++;
  const [, event, data] = /^event: (\w+)\ndata: ?([^]*)$/.exec(frame) ?? [];
  if (event === "complete") stream.end = "complete";
  if (event !== "next" || data === undefined) return;
  const result = JSON.parse(data) as EventStream["results"][number];
  stream.results.push(result);
  if (result.data?.queuedJobEvents) stream.events.push(result.data.queuedJobEvents);
}
