import { join } from "node:path";
import { realpathSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import type { TcpProxy } from "../../support/stores/tcp-proxy.js";
import type { Named } from "../engines/chaos-redis.js";
import type { Fleet } from "../fleet.js";
import { processesOfSession } from "../processes-of-session.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Stage } from "../stage.js";
import type { Violations } from "../checks/violations.js";
import type { ChaosReceiver } from "../webhooks/chaos-receiver.js";
import { pauseAndResume } from "./pause-and-resume.js";
import { freeze, send } from "./signals.js";
import { postgresAnswers, untilBack } from "./until-back.js";

export type Component =
  | "worker"
  | "api"
  | "redis"
  | "postgres"
  | "pgbouncer"
  | "network"
  | "storage"
  | "operator"
  | "receiver";

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
      const pids = processesOfSession([api]).map(({ pid }) => pid);
      send(
        pids.filter((pid) => pid !== api),
        "SIGKILL",
      );
    }),
    fault("operator", "a Job or a user paused and resumed", () =>
      pauseAndResume(stage, { random, violations }),
    ),
    fault("receiver", "receiver of webhooks killed", () => receiver.kill(aWhile())),
    ...all("redis", stage.redis.faults(aWhile)),
    ...all("postgres", postgresFaults(stage, aWhile, long)),
    ...all("pgbouncer", stage.pgBouncer?.faults(aWhile) ?? []),
    ...all("storage", storageFaults(stage.files.proxy, random)),
    ...all("network", waysToStores(stage, random, long)),
  ];
}

function all(component: Component, named: readonly Named[]): Fault[] {
  return named.map(([kind, inject]) => ({ component, kind, inject }));
}

function waysToStores(stage: Stage, random: SeededRandom, long: boolean): Named[] {
  const { proxy: toRedis } = stage.redis;
  const ways = [
    { name: "PostgreSQL", proxy: stage.toPostgres },
    ...(toRedis ? [{ name: "Redis", proxy: toRedis }] : []),
    ...(stage.pgBouncer ? [{ name: "PgBouncer", proxy: stage.pgBouncer.proxy }] : []),
  ];
  return [
    ...(long && toRedis
      ? [["connections to Redis mute", () => mute(toRedis)] satisfies Named]
      : []),
    ...ways.flatMap((way) => networkFaults({ ...way, replyBytes: 400 }, random)),
  ];
}

function postgresFaults({ postgres, folder }: Stage, aWhile: () => number, long: boolean): Named[] {
  const back = untilBack("PostgreSQL", () => postgresAnswers(postgres));
  const end = async (signal: NodeJS.Signals) => {
    const old = postgres.pid;
    send([old], signal);
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
