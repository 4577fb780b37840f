import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Redis } from "ioredis";
import type { GraphqlPeer } from "../peers/graphql-peer.js";
import { memoryMb, memoryOfOne } from "../process-figures.js";
import type { Rig } from "../rig.js";
import { processTree } from "../../test/support/processes/process-tree.js";
import type { Resources } from "./probe.js";

/** Resources at one moment, by name. */
export type Sample = Record<string, number>;

export interface Probed {
  rig: Rig;
  service: GraphqlPeer;
  probes: string;
  redis: Redis;
  /** Retention of finished QueuedJobs and events in seconds; null if tables are not sampled. */
  ttlSeconds: number | null;
}

export async function takeSample({
  rig,
  service,
  probes,
  redis,
  ttlSeconds,
}: Probed): Promise<Sample> {
  const sample: Sample = {};
  for (const [role, pid] of Object.entries(service.processes)) {
    const resources = JSON.parse(await text(connect(`${probes}/${pid}.sock`))) as Resources;
    for (const [name, value] of Object.entries(resources))
      sample[`${role}: ${NAMES[name as keyof Resources]}`] = value as number;
    sample[`${role}: memory, MB`] = memoryOfOne(pid);
    sample[`${role}: memory of its children, MB`] = memoryMb(pid) - memoryOfOne(pid);
    sample[`${role}: children`] = processTree(pid).length - 1;
    sample[`${role}: open files`] = readdirSync(`/proc/${pid}/fd`).length;
  }
  sample["PostgreSQL: connections"] = Number(
    (
      await rig.query(
        rig.postgres.url,
        "select count(*) from pg_stat_activity where datname = 'soak'",
      )
    )[0]?.["count"],
  );
  // Without this process's own connection.
  sample["Redis: clients"] = infoNumber(await redis.info("clients"), "connected_clients") - 1;
  sample["Redis: memory, MB"] = infoNumber(await redis.info("memory"), "used_memory") / 1024 / 1024;
  if (ttlSeconds !== null) Object.assign(sample, await sampleTables(rig, ttlSeconds));
  return sample;
}

/** Row counts of the growing tables, and seconds by which the oldest row of each is overdue. */
async function sampleTables(rig: Rig, ttlSeconds: number): Promise<Sample> {
  const url = Object.assign(new URL(rig.postgres.url), { pathname: "/soak" }).href;
  const [row = {}] = await rig.query(
    url,
    `
    select (select count(*) from queued_jobs) as jobs, (select count(*)
      from queued_job_events) as events,
      (select coalesce(extract(epoch from now() - min(expires_at)), 0)
      from queued_jobs) as jobs_late,
      (select coalesce(extract(epoch from now() - min(at)) - ${ttlSeconds}, 0)
      from queued_job_events) as events_late`,
  );
  const number = (name: string) => Number(row[name]);
  return {
    "rows: queued_jobs": number("jobs"),
    "rows: queued_job_events": number("events"),
    "late, s: queued_jobs": Math.max(0, number("jobs_late")),
    "late, s: queued_job_events": Math.max(0, number("events_late")),
  };
}

const NAMES: Record<keyof Resources, string> = {
  heapMb: "heap after collection, MB",
  externalMb: "outside the heap, MB",
  timers: "timers",
  handles: "handles",
  emitters: "emitters",
  listeners: "listeners",
};

function infoNumber(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]);
}
