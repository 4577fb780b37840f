import { statfs } from "node:fs/promises";
import { z } from "zod";
import { createDatabase } from "../../db/database.js";
import { createBacklogReads } from "../../services/reads/backlog.js";
import type { ServiceFile } from "./service-file.js";

/** The state of the service of this folder. */
export interface ServiceStatus {
  /** The answers of the processes by dependency; null when a process does not answer. */
  api: Health | null;
  worker: Health | null;
  /** Null when PostgreSQL does not answer. */
  queue: { pending: number; started: number; oldestWaitSeconds: number } | null;
  /** The file system of the data folder. */
  disk: { freeBytes: number; totalBytes: number };
}

const healthAnswer = z.record(z.string(), z.string());
type Health = z.infer<typeof healthAnswer>;

const TIMEOUT_MS = 3000;

export async function readServiceStatus(service: ServiceFile): Promise<ServiceStatus> {
  const [api, worker, queue, { bavail, blocks, bsize }] = await Promise.all([
    readHealth(service.health),
    readHealth(service.workerHealth),
    readQueue(service).catch(() => null),
    statfs(service.dataFolder),
  ]);
  return { api, worker, queue, disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize } };
}

async function readHealth(url: string): Promise<Health | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return healthAnswer.parse(await response.json());
  } catch {
    return null;
  }
}

async function readQueue({ databaseUrl }: ServiceFile): Promise<ServiceStatus["queue"]> {
  const database = createDatabase({
    url: databaseUrl,
    connections: 1,
    applicationName: "photo-service status",
  });
  try {
    const { pending, started, oldestWaitSeconds } = await createBacklogReads(database).read();
    return { pending, started, oldestWaitSeconds };
  } finally {
    await database.close();
  }
}

/** The state as rows for people: a name and a sentence each. */
export function describeStatus({ api, worker, queue, disk }: ServiceStatus): [string, string][] {
  const backlog =
    queue &&
    `${queue.pending} waiting, ${queue.started} running` +
      (queue.oldestWaitSeconds > 0
        ? `, the oldest has waited ${Math.round(queue.oldestWaitSeconds)} s`
        : "");
  return [
    ["API", describeHealth(api)],
    ["worker", describeHealth(worker)],
    ["queue", backlog ?? "unknown: PostgreSQL does not answer"],
    ["disk", `${inGigabytes(disk.freeBytes)} of ${inGigabytes(disk.totalBytes)} free`],
  ];
}

function describeHealth(health: Health | null): string {
  if (!health) return "does not answer";
  const { status = "unknown", ...dependencies } = health;
  const parts = Object.entries(dependencies).map(([name, state]) => `${name} ${state}`);
  return [status, ...(parts.length > 0 ? [`(${parts.join(", ")})`] : [])].join(" ");
}

const inGigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
