// The state of the receiver, which all workers share: a pause of all deliveries, the time until
// which it wants no requests, and its last success.
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";

export type WebhookReceiver = ReturnType<typeof createWebhookReceiver>;

/** Users who become due per statement after an outage. */
const WAKE_ROWS = 1000;
/** Time without a success that counts as an outage. */
const OUTAGE_SECONDS = 30;

export function createWebhookReceiver({ sql }: Pick<Database, "sql">) {
  return {
    /** Pauses all deliveries until an operator resumes them. */
    async pause(by: string): Promise<void> {
      await available(
        () => sql`
          update webhook_receivers set paused_at = clock_timestamp(), paused_by = ${by}
          where paused_at is null`,
      );
    },

    /** Sends nothing for this time, which the receiver asked for. */
    async hold(ms: number): Promise<void> {
      await available(
        () => sql`
          update webhook_receivers set hold_until = greatest(hold_until,
            clock_timestamp() + ${ms} * interval '1 millisecond')`,
      );
    },

    /**
     * Records a success. After an outage, users whose deliveries began to fail in it are due at
     * once. A user who failed before it keeps waiting, because its failure has another cause.
     */
    async succeed(): Promise<void> {
      for (let woken = WAKE_ROWS; woken === WAKE_ROWS;) woken = await available(() => wake(sql));
      await available(() => sql`update webhook_receivers set last_success_at = clock_timestamp()`);
    },
  };
}

/** Makes users due whose first failure followed the last success, if that was a while ago. */
async function wake(sql: Sql): Promise<number> {
  const woken = await sql`
    update webhook_positions set due_at = clock_timestamp()
    where user_id = any(array(
      select p.user_id from webhook_positions p cross join webhook_receivers r
      where (p.attempts > 0 or p.paused_at is not null or p.missed > 0)
        and p.paused_at is null and p.due_at > clock_timestamp()
        and p.failing_since > coalesce(r.last_success_at, r.started_at)
        and coalesce(r.last_success_at, r.started_at)
          < clock_timestamp() - ${OUTAGE_SECONDS} * interval '1 second'
      limit ${WAKE_ROWS} for update of p skip locked))`;
  return woken.count;
}
