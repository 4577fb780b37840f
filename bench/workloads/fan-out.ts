import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, enqueueBody, enqueuedId } from "../client/api-client.js";
import { openFeed, type Feed } from "../client/feed.js";
import { isFinished, readEvent } from "../client/read-event.js";
import { memoryMb, startMeter, type Cost } from "../process-figures.js";

export interface FanOut {
  deliveriesPerSecond: number;
  apiCpuUsPerDelivery: number;
  kbPerSubscription: number;
  cost: Cost;
}

export interface FanOutOptions {
  url: string;
  /** Process ids by role, including "api". */
  processes: Record<string, number>;
  token(person: number): string;
  sockets: number;
  /** True: all sockets receive one person's feed. False: each socket has its own person. */
  shared: boolean;
  seconds: number;
  settleSeconds: number;
}

const MAX_OPENING = 50;
const WARM_UP_SECONDS = 1;
const TIMEOUT_MS = 20_000;
/** Timeout of the first job; no message shows when the last socket is subscribed. */
const FIRST_TIMEOUT_MS = 2000;
const FIRST_TRIES = 30;
/** Concurrent jobs and minimum number of jobs; each job is delivered to all sockets, or to one. */
const LANES = { shared: 2, own: 8 };
const JOBS = { shared: 10, own: 60 };
const BODY = enqueueBody("echo", { message: { n: 1, note: "bench" } });

/**
 * W3: measures deliveries to many sockets. A few jobs run at once; each lane submits the next job
 * when all its sockets have received the end of the one before.
 */
export async function measureFanOut(options: FanOutOptions): Promise<FanOut> {
  const { processes, sockets } = options;
  const api = processes["api"] ?? 0;
  const before = memoryMb(api);
  const audience = createAudience();
  const feeds = await openFeeds(options, audience.receive);
  try {
    await pause(options.settleSeconds * 1000);
    const kbPerSubscription = ((memoryMb(api) - before) * 1024) / sockets;
    return { kbPerSubscription, ...(await measureDeliveries(options, audience)) };
  } finally {
    for (const feed of feeds) feed.close();
  }
}

async function measureDeliveries(
  options: FanOutOptions,
  audience: Audience,
): Promise<Omit<FanOut, "kbPerSubscription">> {
  const { url, processes, shared, seconds } = options;
  const client = createApiClient(url, shared ? LANES.shared : LANES.own);
  const submit = async (person: number) =>
    enqueuedId(await client.post(options.token(person), BODY));
  const run = (ms: number) =>
    submitInLanes({ ...options, ms, submit, receivedBy: audience.receivedBy });
  await untilAllReceive(options, { submit, audience });
  await run(Math.min(WARM_UP_SECONDS, seconds) * 1000);
  audience.deliveries = 0;
  const stop = startMeter(processes);
  const from = performance.now();
  await run(seconds * 1000);
  const cost = stop();
  const measurements = {
    deliveriesPerSecond: (audience.deliveries * 1000) / (performance.now() - from),
    apiCpuUsPerDelivery: ((cost.ms["api"] ?? 0) * 1000) / audience.deliveries,
  };
  await client.close();
  return { ...measurements, cost };
}

async function openFeeds(
  { url, token, sockets, shared }: FanOutOptions,
  onNext: (message: string) => void,
): Promise<Feed[]> {
  const feeds: Feed[] = [];
  for (let from = 0; from < sockets; from += MAX_OPENING) {
    const people = Array.from({ length: Math.min(MAX_OPENING, sockets - from) }, (_, i) =>
      shared ? 0 : from + i,
    );
    feeds.push(
      ...(await Promise.all(
        people.map((person) => openFeed({ url, token: token(person), onNext })),
      )),
    );
  }
  return feeds;
}

interface Audience {
  deliveries: number;
  receive(message: string): void;
  /** Resolves when that number of sockets has received the end of a job. */
  receivedBy(id: string, listeners: number, withinMs?: number): Promise<void>;
}

function createAudience(): Audience {
  const counts = new Map<string, number>();
  const waiting = new Map<string, { listeners: number; done: () => void }>();
  const audience: Audience = {
    deliveries: 0,
    receive(message) {
      audience.deliveries++;
      const event = readEvent(message);
      if (!isFinished(event)) return;
      const times = (counts.get(event.id) ?? 0) + 1;
      counts.set(event.id, times);
      const waiter = waiting.get(event.id);
      if (waiter && times >= waiter.listeners) waiter.done();
    },
    async receivedBy(id, listeners, withinMs = TIMEOUT_MS) {
      if ((counts.get(id) ?? 0) < listeners) {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () =>
              reject(
                new Error(`${counts.get(id) ?? 0} of ${listeners} sockets received a job's end`),
              ),
            withinMs,
          );
          waiting.set(id, { listeners, done: () => (clearTimeout(timer), resolve()) });
        });
      }
      waiting.delete(id);
      counts.delete(id);
    },
  };
  return audience;
}

async function untilAllReceive(
  { sockets, shared }: FanOutOptions,
  { submit, audience }: { submit: (person: number) => Promise<string>; audience: Audience },
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const id = await submit(shared ? 0 : sockets - 1);
    const all = await audience.receivedBy(id, shared ? sockets : 1, FIRST_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    if (all) return;
    if (tries === FIRST_TRIES) throw new Error("not all sockets receive events");
  }
}

async function submitInLanes(
  options: FanOutOptions & {
    ms: number;
    submit: (person: number) => Promise<string>;
    receivedBy: Audience["receivedBy"];
  },
): Promise<void> {
  const { sockets, shared, ms, submit, receivedBy } = options;
  const until = performance.now() + ms;
  const kind = shared ? "shared" : "own";
  let jobs = 0;
  let turn = 0;
  await Promise.all(
    Array.from({ length: LANES[kind] }, async () => {
      for (; jobs < JOBS[kind] || performance.now() < until; jobs++) {
        // Steps of a prime number reach every person, but never neighbours in a row.
        turn += 7919;
        await receivedBy(await submit(shared ? 0 : turn % sockets), shared ? sockets : 1);
      }
    }),
  );
}
