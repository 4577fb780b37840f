import type { Sql } from "postgres";
import { readEventPartitions } from "../../../src/db/event-partitions.js";

/** Hours before now at which the partition of `makePastPartition` ends. */
const ENDED_HOURS = 50;

/** Gives the past a partition of its own, `queued_job_events_past`; the first one follows it. */
export async function makePastPartition(sql: Sql): Promise<void> {
  const [past, first] = ["queued_job_events_past", "queued_job_events_first"];
  const [row] = await sql<{ hour: number }[]>`
    select floor(date_part('epoch', now()) / 3600)::int as hour`;
  const hour = row?.hour ?? 0;
  // The database may have been made in the hour before.
  const { endHour } = (await readEventPartitions(sql)).find(({ name }) => name === first) ?? {};
  await sql.unsafe(`
    alter table queued_job_events detach partition ${first};
    create table ${past} partition of queued_job_events
      for values from (minvalue) to (${hour - ENDED_HOURS});
    alter table queued_job_events attach partition ${first}
      for values from (${hour - ENDED_HOURS}) to (${endHour});`);
}

/** Moves the events of a user up to a number into the past, as if they had been logged then. */
export async function moveToPast(sql: Sql, userId: string, upTo: number): Promise<void> {
  await sql`
    update queued_job_events set at = now() - interval '60 hours',
      logged_hour = floor(date_part('epoch', now()) / 3600)::int - 60
    where user_id = ${userId} and seq <= ${upTo}`;
}
