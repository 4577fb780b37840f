import { eventually } from "../../support/runner/eventually.js";
import { openEventStream } from "../../support/clients/event-stream.js";
import type { RawSocket } from "../../support/clients/raw-socket.js";
import type { GraphqlError, TestClient } from "../../support/clients/test-client.js";

export interface Outcome {
  data?: unknown;
  errors?: Pick<GraphqlError, "message" | "extensions" | "path">[];
}

export type Ask = (query: string, variables: object) => Promise<Outcome>;

/** The transports of a request. `asker` is called for each request. */
export function createWays(asker: () => { client: TestClient; socket: RawSocket }) {
  let operations = 0;
  const ways = {
    async HTTP(query: string, variables: object): Promise<Outcome> {
      const { data, errors } = await asker().client.ask(query, variables);
      return plain({ data, ...(errors && { errors }) });
    },
    async "the socket"(query: string, variables: object): Promise<Outcome> {
      const { socket } = asker();
      const id = `${++operations}`;
      socket.send({ type: "subscribe", id, payload: { query, variables } });
      const { type, payload } = await socket.next(
        `a response to ${query.slice(0, 60)}`,
        (message) => message.id === id,
      );
      return plain(type === "error" ? { errors: payload as GraphqlError[] } : (payload as Outcome));
    },
    async "a stream"(query: string, variables: object): Promise<Outcome> {
      const { url, token } = asker().client;
      const stream = await openEventStream(url, token, { query, variables });
      const result = await eventually(
        `a response to ${query.slice(0, 60)}`,
        () => stream.results[0],
      );
      stream.stop();
      return plain(result as Outcome);
    },
  };
  return ways satisfies Record<string, Ask>;
}

/** Removes the locations in the document, which differ between requests. */
function plain({ data, errors }: Outcome): Outcome {
  return {
    ...(data !== undefined && { data }),
    ...(errors && {
      errors: errors.map(({ message, extensions, path }) => ({
        message,
        extensions,
        ...(path && { path }),
      })),
    }),
  };
}

export function withoutIds(outcome: Outcome): Outcome {
  return JSON.parse(
    JSON.stringify(outcome).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, "<id>"),
  ) as Outcome;
}
