// What it costs to tell events to many sockets, all on one feed or each on its own, beside bare
// frames on as many sockets. Requests go to another API, so that the figures of the one with the
// sockets are those of telling alone.
//   node dist/test/load/deliveries.js [--sockets 1000] [--feeds one|own] [--seconds 5] [--lanes 4]
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { eventually } from "../support/runner/eventually.js";
import { openCountingSocket, type CountingSocket } from "./counting-socket.js";
import { cpuOf, inTurns, memoryOf, say, withLoadService } from "./load-service.js";

const { values } = parseArgs({
  options: {
    sockets: { type: "string", default: "1000" },
    feeds: { type: "string", default: "one" },
    seconds: { type: "string", default: "5" },
    lanes: { type: "string", default: "4" },
  },
});
const SOCKETS = Number(values.sockets);
const OWN = values.feeds === "own";
const SUBMIT = 'mutation { enqueueJob(input: { job: "echo" }) { id } }';
const EVENTS_OF_JOB = 3;

await withLoadService({ MAX_OPENING_SOCKETS: "100000" }, async (service) => {
  const users = await Promise.all(
    Array.from({ length: OWN ? SOCKETS : 1 }, (_, i) => service.user(`user-${i}`)),
  );
  await inTurns(users, (user) => user.ask("{ queuedJobs(first: 1) { eventCursor } }"));
  const sockets = await openAll("the service", service.api, (i) =>
    openCountingSocket(service.port, users[i % users.length]?.token ?? ""),
  );
  await measure("the service", service.api, sockets, async () => {
    const i = Math.floor(Math.random() * users.length);
    await toldTo(OWN ? sockets.slice(i, i + 1) : sockets, () => users[i]?.ask(SUBMIT));
  });
  for (const socket of sockets) socket.close();
  if (!OWN) await measureBareFrames();
});

async function measureBareFrames(): Promise<void> {
  const bare = fork(fileURLToPath(new URL("bare-frames.js", import.meta.url)));
  const [port] = (await once(bare, "message")) as [number];
  const sockets = await openAll("bare frames", bare, () => openCountingSocket(port, ""));
  await measure("bare frames", bare, sockets, () => toldTo(sockets, async () => bare.send("job")));
  for (const socket of sockets) socket.close();
  bare.disconnect();
}

async function toldTo(
  sockets: CountingSocket[],
  happen: () => Promise<unknown> | undefined,
): Promise<void> {
  const goals = sockets.map((socket) => ({ socket, goal: socket.frames + EVENTS_OF_JOB }));
  await happen();
  await eventually(
    "it is told to all",
    () => goals.every(({ socket, goal }) => socket.frames >= goal),
    60_000,
  );
}

async function openAll(
  what: string,
  server: ChildProcess,
  open: (i: number) => Promise<CountingSocket>,
): Promise<CountingSocket[]> {
  const [before, cpuBefore] = [await memoryOf(server), await cpuOf(server)];
  const begun = Date.now();
  const sockets: CountingSocket[] = [];
  await inTurns(
    Array.from({ length: SOCKETS }, (_, i) => i),
    async (i) => void (sockets[i] = await open(i)),
  );
  say(
    `${what}: ${SOCKETS} sockets in ${Date.now() - begun} ms, ` +
      `${((((await cpuOf(server)) - cpuBefore) * 1e6) / SOCKETS).toFixed(0)} µs of ` +
      "processor each",
  );
  await pause(1500);
  say(
    `${what}: ${Math.round((10 * ((await memoryOf(server)) - before)) / SOCKETS) / 10} ` +
      `KiB each; ${Math.round((await memoryOf(server)) / 1024)} MiB in all`,
  );
  const [cpu, idle] = [await cpuOf(server), Date.now()];
  await pause(6000);
  say(
    `${what}: ` +
      `${((((await cpuOf(server)) - cpu) * 1e6) / (Date.now() - idle)).toFixed(1)} ms of ` +
      "processor a second with nothing to tell",
  );
  return sockets;
}

async function measure(
  what: string,
  server: ChildProcess,
  sockets: CountingSocket[],
  job: () => Promise<unknown>,
): Promise<void> {
  const seconds = Number(values.seconds);
  const run = (until: number) =>
    Promise.all(
      Array.from({ length: Number(values.lanes) }, async () => {
        while (Date.now() < until) await job();
      }),
    );
  await run(Date.now() + 1000);
  const [frames, cpu, begun] = [count(sockets), await cpuOf(server), Date.now()];
  await run(begun + seconds * 1000);
  const told = count(sockets) - frames;
  say(
    `${what}: ${Math.round(told / ((Date.now() - begun) / 1000))} deliveries/s, ` +
      `${((((await cpuOf(server)) - cpu) * 1e6) / told).toFixed(2)} µs of processor each`,
  );
}

function count(sockets: CountingSocket[]): number {
  return sockets.reduce((sum, { frames }) => sum + frames, 0);
}
