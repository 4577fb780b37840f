import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { startStandby, type Standby } from "../../support/stores/standby.js";
import type { Stage } from "../stage.js";

const WITHIN_MS = 30_000;

/**
 * Promotes a standby that has received every commit, and directs the service to it. It must be the
 * last fault of a run, because nothing restarts the standby. Every stream then ends with
 * CURSOR_EXPIRED, because the history has changed.
 */
export async function failOver(stage: Stage): Promise<Standby> {
  const { postgres: primary, toPostgres, folder } = stage;
  const standby = await startStandby(
    { url: primary.url, dataDir: join(folder, "postgres") },
    join(folder, "standby"),
  );
  toPostgres.down();
  await untilReceived(primary.url, standby.url);
  await primary.close();
  await standby.promote();
  toPostgres.aim(standby.url);
  toPostgres.up();
  return standby;
}

/** Resolves when the standby has replayed what the primary has written. */
async function untilReceived(primary: string, standby: string): Promise<void> {
  const [from, to] = [primary, standby].map((url) => postgres(url, { max: 1, onnotice: () => {} }));
  if (!from || !to) return;
  try {
    const [written] = await from<{ lsn: string }[]>`select pg_current_wal_flush_lsn()::text as lsn`;
    for (const deadline = Date.now() + WITHIN_MS; Date.now() < deadline; await pause(50)) {
      const [row] = await to<
        { done: boolean }[]
      >`select pg_last_wal_replay_lsn() >= ${written?.lsn ?? ""}::pg_lsn as done`;
      if (row?.done) return;
    }
    throw new Error(`The standby had not received all commits after ${WITHIN_MS} ms`);
  } finally {
    await Promise.all([from.end({ timeout: 5 }), to.end({ timeout: 5 })]);
  }
}
