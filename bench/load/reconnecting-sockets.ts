// Measures the reconnect of all sockets of an API. Many users have many sockets on one API. The API
// is killed and restarted while events continue. Every socket must receive every event once.
//   node dist/bench/load/reconnecting-sockets.js [--sockets 10000] [--users 1000]
import { once } from "node:events";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { eventually } from "../../test/support/runner/eventually.js";
import {
  cpuOf,
  inTurns,
  memoryOf,
  say,
  withLoadService,
  type LoadService,
  type LoadUser,
} from "./load-service.js";

const { values } = parseArgs({
  options: {
    sockets: { type: "string", default: "10000" },
    users: { type: "string", default: "1000" },
  },
});
const SOCKETS = Number(values.sockets);
const USERS = Number(values.users);
const SUBMIT = 'mutation { enqueueJob(input: { job: "echo" }) { id } }';
const SUBSCRIBE =
  "subscription ($after: String) { queuedJobEvents(after: $after, includeProgress: " +
  "false) { cursor type queuedJob { id version } } }";

await withLoadService({ MAX_SOCKETS_PER_USER: "1000", RATE_LIMIT_PER_MINUTE: "6000" }, run);

type Reader = ReturnType<typeof createReader>;
type ReadingUser = LoadUser & { cursor: string };

async function run(service: LoadService): Promise<void> {
  const users = await signInAll(service);
  const readers = await subscribeAll(service, users);
  await inTurns(users, (user) => user.ask(SUBMIT));
  await eventually(
    "all sockets have the events of the first job",
    () => readers.every((reader) => reader.seen.length >= 3),
    120_000,
  );
  say(`all sockets have the first job's events; API memory ${await megabytesOf(service)} MB`);

  service.api.kill("SIGKILL");
  await once(service.api, "exit");
  const outage = inTurns(users, (user) => user.ask(SUBMIT));
  await service.restartApi();
  const restarted = Date.now();
  await outage;
  await allResumed(readers, users);
  say(
    `all sockets have all events ${Date.now() - restarted} ms after the API was ready again; ` +
      `its CPU time is ${await cpuOf(service.api)} s, its memory ` +
      `${await megabytesOf(service)} MB`,
  );
  judge(readers.map((reader) => reader.seen));
  for (const reader of readers) reader.stop();
}

async function signInAll(service: LoadService): Promise<ReadingUser[]> {
  const users = await Promise.all(
    Array.from({ length: USERS }, async (_, i) => ({
      ...(await service.user(`user-${i}`)),
      cursor: "",
    })),
  );
  await inTurns(users, async (user) => {
    user.cursor = (
      await user.ask("{ queuedJobs(first: 1) { eventCursor } }")
    ).queuedJobs.eventCursor;
  });
  return users;
}

async function subscribeAll(service: LoadService, users: ReadingUser[]): Promise<Reader[]> {
  const startedAt = Date.now();
  const readers = Array.from({ length: SOCKETS }, (_, i) =>
    createReader(
      `ws://127.0.0.1:${service.port}/graphql`,
      users[i % USERS] ?? { token: "", cursor: "" },
    ),
  );
  await eventually(
    "all sockets are subscribed",
    () => readers.every((reader) => reader.subscribed()),
    120_000,
  );
  say(
    `${SOCKETS} sockets of ${USERS} users subscribed in ${Date.now() - startedAt} ms; API ` +
      `memory ${await megabytesOf(service)} MB`,
  );
  return readers;
}

async function allResumed(readers: Reader[], users: ReadingUser[]): Promise<void> {
  const lacking = () =>
    readers.flatMap((reader, i) =>
      reader.seen.length < 6 ? [{ reader, user: users[i % USERS] }] : [],
    );
  await eventually("all sockets have all events", () => lacking().length === 0, 120_000).catch(
    async (error: unknown) => {
      say(`${lacking().length} sockets lack events, for example:`);
      for (const { reader, user } of lacking().slice(0, 3))
        say(
          JSON.stringify({
            seen: reader.seen,
            subscribed: reader.subscribed(),
            recorded: await user?.ask(
              "{ queuedJobs(first: 5) { nodes { id version status } eventCursor } }",
            ),
          }),
        );
      throw error;
    },
  );
}

async function megabytesOf({ api }: LoadService): Promise<number> {
  return Math.round((await memoryOf(api)) / 1024);
}

function judge(stories: string[][]): void {
  const doubled = stories.filter((seen) => new Set(seen).size !== seen.length).length;
  const wrong = stories.filter((seen) => new Set(seen).size !== 6).length;
  say(
    `${stories.length} sockets: ${wrong} with lost or extra events, ${doubled} with ` +
      "duplicate events",
  );
  if (doubled + wrong > 0) process.exitCode = 1;
}

interface Message {
  type: string;
  payload: {
    data?: { queuedJobEvents: { cursor: string; queuedJob: { id: string; version: number } } };
  };
}

/** A socket that reconnects with its last cursor, after doubling pauses with jitter. */
function createReader(url: string, { token, cursor: from }: { token: string; cursor: string }) {
  const seen: string[] = [];
  let cursor = from;
  let socket: WebSocket;
  let tries = 0;
  let ready = false;
  let stopped = false;

  function connect(): void {
    ready = false;
    socket = new WebSocket(url, "graphql-transport-ws", { perMessageDeflate: false });
    socket.on("open", () =>
      socket.send(
        JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
      ),
    );
    socket.on("message", (data) => receive(JSON.parse(String(data)) as Message));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!stopped) setTimeout(connect, Math.random() * Math.min(4000, 500 * 2 ** tries++));
    });
  }

  function receive({ type, payload }: Message): void {
    if (type === "connection_ack") {
      tries = 0;
      socket.send(
        JSON.stringify({
          id: "1",
          type: "subscribe",
          payload: { query: SUBSCRIBE, variables: { after: cursor } },
        }),
      );
      // The pong for this ping comes after the server has processed the subscription.
      socket.send(JSON.stringify({ type: "ping" }));
    }
    if (type === "pong") ready = true;
    // The service is busy; reconnect later, like a client.
    if (type === "error" || (type === "next" && !payload.data)) return socket.close();
    if (type !== "next" || !payload.data) return;
    const event = payload.data.queuedJobEvents;
    cursor = event.cursor;
    seen.push(`${event.queuedJob.id} ${event.queuedJob.version}`);
  }

  setTimeout(connect, Math.random() * 5000);
  return {
    seen,
    subscribed: () => ready,
    stop() {
      stopped = true;
      socket.terminate();
    },
  };
}
