import { rm } from "node:fs/promises";
import { join } from "node:path";
import { realpathSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import type { TcpProxy } from "../../support/stores/tcp-proxy.js";
import type { Fleet } from "../fleet.js";
import { processesOfSession } from "../processes-of-session.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Stage } from "../stage.js";
import type { Violations } from "../checks/violations.js";
import type { ChaosReceiver } from "../webhooks/chaos-receiver.js";
import { pauseAndResume } from "./pause-and-resume.js";
import { postgresAnswers, redisAnswers, untilBack } from "./until-back.js";

export type Component =
  "worker" | "api" | "redis" | "postgres" | "network" | "storage" | "operator" | "receiver";

export interface Fault {
  component: Component;
  kind: string;
  /** Resolves when the fault is over: killed processes are replaced, frozen ones continue. */
  inject(): Promise<void>;
}

export function createFaults({
  stage,
  fleet,
  receiver,
  random,
  violations,
  long,
}: {
  stage: Stage;
  fleet: Fleet;
  receiver: ChaosReceiver;
  random: SeededRandom;
  violations: Violations;
  long: boolean;
}): Fault[] {
  const fault = (component: Component, kind: string, inject: () => Promise<void>): Fault => ({
    component,
    kind,
    inject,
  });
  const any = (role: "api" | "worker") => random.pick(fleet.members(role));
  const aWhile = () => random.int(1000, 4000);
  return [
    fault("worker", "worker killed", () => fleet.kill(any("worker"))),
    fault("worker", "worker rolled", () => fleet.roll(any("worker"))),
    fault("worker", "worker frozen for a moment", () => fleet.freeze(any("worker"), aWhile())),
    ...(long
      ? [
          fault("worker", "worker frozen past its lease", () =>
            fleet.freeze(any("worker"), random.int(35_000, 40_000)),
          ),
        ]
      : []),
    fault("api", "API killed", () => fleet.kill(any("api"))),
    fault("api", "API rolled", () => fleet.roll(any("api"))),
    fault("api", "API frozen for a moment", () => fleet.freeze(any("api"), aWhile())),
    fault("api", "child processes of an API killed", async () => {
      const { pid: api } = any("api");
      for (const { pid } of processesOfSession([api])) if (pid !== api) send(pid, "SIGKILL");
    }),
    fault("operator", "a Job or a user paused and resumed", () =>
      pauseAndResume(stage, { random, violations }),
    ),
    fault("receiver", "receiver of webhooks killed", () => receiver.kill(aWhile())),
    ...redisFaults(stage, aWhile).map(([kind, inject]) => fault("redis", kind, inject)),
    ...postgresFaults(stage, aWhile, long).map(([kind, inject]) => fault("postgres", kind, inject)),
    ...(long ? [fault("network", "connections to Redis mute", () => mute(stage.toRedis))] : []),
    ...storageFaults(stage.files.proxy, random).map(([kind, inject]) =>
      fault("storage", kind, inject),
    ),
    ...[
      { name: "PostgreSQL", proxy: stage.toPostgres, replyBytes: 400 },
      { name: "Redis", proxy: stage.toRedis, replyBytes: 400 },
    ].flatMap((way) =>
      networkFaults(way, random).map(([kind, inject]) => fault("network", kind, inject)),
    ),
  ];
}

type Named = [kind: string, inject: () => Promise<void>];

function redisFaults({ redis, folder }: Stage, aWhile: () => number): Named[] {
  const back = untilBack("Redis", () => redisAnswers(redis));
  const kill = async (signal: NodeJS.Signals) => {
    const old = redis.pid;
    process.kill(old, signal);
    await back(() => redis.pid !== old);
  };
  return [
    ["Redis killed", () => kill("SIGKILL")],
    [
      "Redis killed, its file lost",
      async () => {
        await rm(join(folder, "redis", "data", "appendonlydir"), { recursive: true, force: true });
        await kill("SIGKILL");
      },
    ],
    ["Redis flushed", () => flush(redis.url)],
    ["Redis frozen", () => freeze([redis.pid], aWhile())],
  ];
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 5 });
  client.on("error", () => {});
  await client.flushall().finally(() => client.disconnect());
}

function postgresFaults({ postgres, folder }: Stage, aWhile: () => number, long: boolean): Named[] {
  const back = untilBack("PostgreSQL", () => postgresAnswers(postgres));
  const end = async (signal: NodeJS.Signals) => {
    const old = postgres.pid;
    process.kill(old, signal);
    await back(() => postgres.pid !== old);
  };
  const data = realpathSync(join(folder, "postgres", "data"));
  return [
    ["PostgreSQL killed", () => end("SIGKILL")],
    ["PostgreSQL restarted", () => end("SIGINT")],
    // Each session of PostgreSQL is a separate process.
    ["PostgreSQL frozen", () => freeze(processesIn(data, ["postgres"]), aWhile())],
    ...(long
      ? [
          [
            "PostgreSQL frozen past every deadline",
            () => freeze(processesIn(data, ["postgres"]), LONG_HANG_MS),
          ] satisfies Named,
        ]
      : []),
  ];
}

async function freeze(pids: number[], ms: number): Promise<void> {
  for (const pid of pids) send(pid, "SIGSTOP");
  await pause(ms);
  for (const pid of pids) send(pid, "SIGCONT");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
}

/** Longer than the timeout of any request. */
const LONG_HANG_MS = 20_000;
/** Longer than the timeout of a silent connection. */
const MUTE_MS = 25_000;

/** Open connections receive nothing more; new ones work. */
async function mute(proxy: TcpProxy): Promise<void> {
  proxy.mute();
  await pause(MUTE_MS);
  proxy.heal();
}

const DELAY_MS = 200;

function storageFaults(proxy: TcpProxy | null, random: SeededRandom): Named[] {
  if (!proxy) return [];
  return [
    [
      "storage away",
      async () => {
        proxy.down();
        await pause(random.int(1000, 5000));
        proxy.up();
      },
    ],
    // Most cuts fall within a file, behind the headers.
    ...networkFaults({ name: "the storage", proxy, replyBytes: 4000 }, random),
  ];
}

function networkFaults(
  { name, proxy, replyBytes }: { name: string; proxy: TcpProxy; replyBytes: number },
  random: SeededRandom,
): Named[] {
  // A separate sequence, so that the number of connections does not change the next faults.
  const bytes = random.branch();
  const lasting = (begin: () => void) => async () => {
    begin();
    await pause(random.int(1000, 5000));
    proxy.heal();
  };
  return [
    [`connections to ${name} cut`, async () => proxy.cut()],
    [
      `connections to ${name} cut in mid-reply`,
      lasting(() => proxy.cutReplies(() => bytes.int(1, replyBytes))),
    ],
    [`connections to ${name} hang`, lasting(() => proxy.freeze())],
    [`connections to ${name} slow`, lasting(() => proxy.delay(DELAY_MS))],
  ];
}
