import { setTimeout as pause } from "node:timers/promises";
import { openJobClient, type JobClient } from "./client/job-client.js";
import { visitGroups } from "./compare-groups.js";
import { compareHistories } from "./compare-histories.js";
import { startField, type Field } from "./field.js";
import { createMeasurements, type Measurements } from "./report/figures.js";
import { BARE, fanOutMeasure, NAIVE, RAW_BULLMQ, SERVICE } from "./report/goals.js";
import type { WorkloadName } from "./read-bench-options.js";
import { runBareSharp } from "./peers/bare-sharp.js";
import { THUMBNAIL_WIDTHS, type GraphqlPeer } from "./peers/graphql-peer.js";
import { memoryMb, type Cost } from "./process-figures.js";
import {
  mapValues,
  READER,
  SUBMITTER,
  withStores,
  type RoundOptions,
  type Stand,
  type Visit,
} from "./stand.js";
import { visitCrowds } from "./visit-crowds.js";
import { measureFanOut } from "./workloads/fan-out.js";
import { measureLatency } from "./workloads/latency.js";
import { measurePage } from "./workloads/page.js";
import { measureStart } from "./workloads/start-time.js";
import { measureThroughput } from "./workloads/throughput.js";
import { measureImages } from "./workloads/images.js";
import { measureThumbnails } from "./workloads/thumbnails.js";

/** Rows in the table before the pages are read; the reader owns a fortieth of them. */
const PAGE_ROWS = 4000;

/** Runs every workload once, with one contestant after the other. */
export async function runRound(options: RoundOptions): Promise<Measurements> {
  const { rig, only, reverse, say, onFailure } = options;
  const measurements = createMeasurements();

  const visit: Visit = async (workload, contestants) => {
    if (!only.has(workload)) return;
    const inTurn = Object.entries(contestants);
    for (const [name, measure] of reverse ? inTurn.toReversed() : inTurn) {
      const from = performance.now();
      const cost = await measure().catch((error: unknown) =>
        onFailure({
          of: name,
          sentence: `${workload}, ${name}: ${error instanceof Error ? error.message : String(error)}`,
        }),
      );
      measurements.coresElsewhere = Math.max(
        measurements.coresElsewhere,
        cost?.coresElsewhere ?? 0,
      );
      say(
        `  ${workload.padEnd(6)} ${name.padEnd(28)} ` +
          `${seconds(performance.now() - from)}${cost ? renderCost(cost) : ""}`,
      );
    }
  };

  for (const { workloads, compete } of FIELDS) {
    if (!workloads.some((workload) => only.has(workload))) continue;
    const field = await startField(rig, options.serviceEnv);
    await compete(options, { field, measurements, visit }).finally(() => field.close());
  }
  if (options.longHistory !== null)
    await compareHistories(options, { longHistory: options.longHistory, measurements, visit });
  await visit("start", {
    [SERVICE]: async () =>
      measurements.record("npm start to ready, s", SERVICE, await measureStart(rig.folder)),
  });
  return measurements;
}

/**
 * Memory comes first, while the processes are new, and latency before throughput. Thousands of
 * subscribers have a field of their own, because the naive server never recovers from them: it then
 * accepts at a tenth of its speed.
 */
const FIELDS: {
  workloads: WorkloadName[];
  compete: (options: RoundOptions, stand: Stand) => Promise<void>;
}[] = [
  {
    workloads: ["memory", "W3"],
    async compete(options, stand) {
      await visitIdle(options, stand);
      await visitFanOut(options, stand);
    },
  },
  {
    workloads: ["W2", "W1", "W7", "W9", "W4", "W6", "W8"],
    async compete(options, stand) {
      await visitLatency(options, stand);
      await visitThroughput(options, stand);
      await visitCrowds(options, stand, "few");
      await visitGroups(options, stand);
      await visitPages(options, stand);
      await visitThumbnails(options, stand);
      await visitImages(options, stand);
    },
  },
  {
    workloads: ["W7"],
    compete: (options, stand) => visitCrowds(options, stand, "many"),
  },
];

async function visitIdle(
  { scale }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  await visit("memory", {
    async [SERVICE]() {
      await pause(scale.idleSeconds * 1000);
      measurements.record("API idle, MB", SERVICE, memoryMb(field.service.processes["api"] ?? 0));
      measurements.record(
        "worker idle, MB",
        SERVICE,
        memoryMb(field.service.processes["worker"] ?? 0),
      );
    },
  });
}

async function visitFanOut(
  { rig, scale }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  for (const sockets of scale.fanOut.sockets) {
    for (const mode of ["own feeds", "one feed"] as const) {
      const record = (what: string, contestant: string, value: number) =>
        measurements.record(fanOutMeasure(mode, sockets, what), contestant, value);
      const measure =
        (contestant: string, peer: { url: string; processes: Record<string, number> }) =>
        async () => {
          const result = await measureFanOut({
            url: peer.url,
            processes: withStores(rig, peer.processes),
            token: (person) => rig.token(SUBMITTER + person),
            sockets,
            shared: mode === "one feed",
            seconds: scale.fanOut.seconds,
            settleSeconds: scale.fanOut.settleSeconds,
          });
          record("deliveries/s", contestant, result.deliveriesPerSecond);
          record("API CPU µs/delivery", contestant, result.apiCpuUsPerDelivery);
          record("KB/subscription", contestant, result.kbPerSubscription);
          return result.cost;
        };
      await visit("W3", {
        [SERVICE]: measure(SERVICE, field.service),
        [NAIVE]: measure(NAIVE, field.naive),
        ...(mode === "one feed" && { [BARE]: measure(BARE, field.bare) }),
      });
    }
  }
}

/** A client for each contestant; the caller opens and closes it. */
function jobClients(
  { rig, scale }: RoundOptions,
  field: Field,
): Record<string, { processes: Record<string, number>; open: () => Promise<JobClient> }> {
  const overGraphql = ({ url, processes }: GraphqlPeer) => ({
    processes: withStores(rig, processes),
    open: () =>
      openJobClient({ url, token: rig.token(SUBMITTER), connections: scale.throughput.submitters }),
  });
  return {
    [SERVICE]: overGraphql(field.service),
    [NAIVE]: overGraphql(field.naive),
    [RAW_BULLMQ]: {
      processes: withStores(rig, field.rawBullmq.processes),
      open: field.rawBullmq.openClient,
    },
  };
}

async function visitLatency(
  options: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  await visit(
    "W2",
    mapValues(jobClients(options, field), ({ open }, contestant) => async () => {
      const client = await open();
      const result = await measureLatency(client, options.scale.latency).finally(() =>
        client.close(),
      );
      measurements.record("completed p50 ms", contestant, result.p50Ms);
      measurements.record("completed p99 ms", contestant, result.p99Ms);
    }),
  );
}

async function visitThroughput(
  options: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  await visit(
    "W1",
    mapValues(jobClients(options, field), ({ open, processes }, contestant) => async () => {
      const client = await open();
      const result = await measureThroughput(client, {
        ...options.scale.throughput,
        processes,
      }).finally(() => client.close());
      measurements.record("completed and delivered/s", contestant, result.completedPerSecond);
      measurements.record("CPU ms/job", contestant, result.cpuMsPerJob);
      measurements.record("accept p99 ms", contestant, result.acceptP99Ms);
      return result.cost;
    }),
  );
}

async function visitPages(
  { rig, scale, only }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  if (!only.has("W4")) return;
  await Promise.all([field.service.seed(PAGE_ROWS), field.naive.seed(PAGE_ROWS)]);
  await visit(
    "W4",
    mapValues(
      { [SERVICE]: field.service, [NAIVE]: field.naive, [BARE]: field.bare },
      ({ url, processes }, contestant) =>
        async () => {
          const result = await measurePage({
            ...scale.page,
            url,
            token: rig.token(READER),
            processes: withStores(rig, processes),
          });
          measurements.record("page req/s", contestant, result.requestsPerSecond);
          measurements.record("CPU ms/req", contestant, result.cpuMsPerRequest);
          return result.cost;
        },
    ),
  );
}

async function visitThumbnails(
  { rig, photos }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  const record = (contestant: string, perSecond: number) =>
    measurements.record("thumbnails/s", contestant, perSecond);
  const measure = (contestant: string, peer: GraphqlPeer) => async () =>
    record(contestant, await measureThumbnails(peer, { token: rig.token(READER), photos }));
  await visit("W6", {
    [SERVICE]: measure(SERVICE, field.service),
    [NAIVE]: measure(NAIVE, field.naive),
    [BARE]: async () =>
      record(BARE, (photos.length * THUMBNAIL_WIDTHS.length) / (await runBareSharp(rig, photos))),
  });
}

async function visitImages(
  { rig, photos }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  await visit("W8", {
    async [SERVICE]() {
      const { url } = field.service;
      const perSecond = await measureImages({ url, token: rig.token(READER), photos });
      return measurements.record("images/s", SERVICE, perSecond);
    },
    async [BARE]() {
      const perSecond = photos.length / (await runBareSharp(rig, photos, "images"));
      return measurements.record("images/s", BARE, perSecond);
    },
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)} s`;
}

function renderCost({ ms, coresElsewhere }: Cost): string {
  return `   CPU ${Object.entries(ms)
    .map(([name, used]) => `${name} ${(used / 1000).toFixed(1)} s`)
    .join(", ")}; elsewhere ${coresElsewhere.toFixed(1)} cores`;
}
