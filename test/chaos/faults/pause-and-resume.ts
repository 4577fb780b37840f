import { setTimeout as wait } from "node:timers/promises";
import { REDIS_PREFIX } from "../../../src/app/create-core.js";
import { createDatabase } from "../../../src/db/database.js";
import { createRedis } from "../../../src/runtime/redis.js";
import { createPauses, type PauseSubject } from "../../../src/services/operators/pauses.js";
import { silentLog } from "../../support/runner/silent-log.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";
import type { Stage } from "../stage.js";

const BY = { actor: "chaos", requestId: "chaos" };

/** Pauses a Job or a user for a moment, and reports what has started then. */
export async function pauseAndResume(
  { postgres, redis }: Stage,
  { random, violations }: { random: SeededRandom; violations: Violations },
): Promise<void> {
  const client = createRedis({
    url: redis.url,
    prefix: REDIS_PREFIX,
    purpose: "chaos",
    failFast: false,
    log: silentLog,
  });
  const database = createDatabase({ url: postgres.url, connections: 1, applicationName: "chaos" });
  const { sql } = database;
  const reportLost = async () => void (await client.del(`${REDIS_PREFIX}:remembers`));
  const pauses = createPauses({ database, hints: { reportLost } });
  try {
    const users = await sql<{ id: string }[]>`select id from users where closed_at is null`;
    const user = random.pick(users.map(({ id }) => id));
    const subject: PauseSubject =
      random.int(0, 1) === 0 ? { kind: "JOB", subject: "echo" } : { kind: "USER", subject: user };
    await pauses.pause({ ...subject, reason: "chaos" }, BY);
    const [start] = await sql<{ at: string }[]>`select clock_timestamp()::text as at`;
    await wait(random.int(1000, 4000));
    const [started] = await sql<{ count: number }[]>`
      select count(*)::int as count from queued_job_events
      where type = 'STARTED' and at > ${start?.at ?? ""}::timestamptz + interval '10 ms'
        and (user_id::text = ${subject.subject} or snapshot->>'jobName' = ${subject.subject})`;
    if (started?.count !== 0)
      violations.add("other", `${started?.count} started although ${subject.subject} was paused`);
    await pauses.resume(subject, BY);
  } finally {
    client.disconnect();
    await database.close();
  }
}
