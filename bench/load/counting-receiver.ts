// A receiver in another process, which counts what arrives; see webhook-backlog.ts.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** The answers so far; an event is numbered by its result. */
export interface CountedWebhooks {
  different: number;
  repeated: number;
  disordered: number;
}

interface Body {
  data: { user: { id: string }; queuedJob: { result: number } };
}

const counted: CountedWebhooks = { different: 0, repeated: 0, disordered: 0 };
const lastOf = new Map<string, number>();

const server = createServer((request, response) => {
  const answer = (body: string): void => {
    const { user, queuedJob } = (JSON.parse(body) as Body).data;
    const last = lastOf.get(user.id) ?? 0;
    if (queuedJob.result === last) counted.repeated++;
    else if (queuedJob.result === last + 1) counted.different++;
    else counted.disordered++;
    lastOf.set(user.id, Math.max(last, queuedJob.result));
    response.writeHead(204).end();
  };
  // A kill cuts requests off.
  text(request).then(answer, () => {});
});

async function listen(port: number): Promise<string> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Closes all connections at once, as a kill does, and listens again. */
async function restart(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
  return listen(port);
}

process.on("message", (question: "listen" | "kill" | "count") => {
  const answers = { listen: () => listen(0), kill: restart, count: async () => counted };
  void answers[question]().then((answer) => process.send?.(answer));
});
process.once("disconnect", () => process.exit());
