import { setTimeout as pause } from "node:timers/promises";
import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import type { FeedRecorder } from "../feeds/feed-recorder.js";
import type { ArrivedWebhook, ChaosReceiver } from "../webhooks/chaos-receiver.js";
import { groupBy } from "./group-by.js";
import type { LogRow } from "./read-tables.js";
import type { Violations } from "./violations.js";

/** Webhooks of a run. */
export interface WebhookStatistics {
  /** Different ends that were delivered. */
  delivered: number;
  attempts: number;
  /** Attempts after one that was accepted. */
  repeated: number;
}

type End = Pick<LogRow, "userId" | "jobId" | "version">;

const ENDS = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);
/** Longer than a back-off after the failures that a fault can cause. */
const DELIVERED_WITHIN_MS = 90_000;

/**
 * The ends that must be delivered: those in the log, and those that a client saw before their row
 * was deleted. Of a deleted row, only the last end must be.
 */
export function expectedEnds(log: readonly LogRow[], feeds: readonly FeedRecorder[]): End[] {
  const seen = feeds.flatMap(({ person: { userId }, events }) =>
    events.map(({ jobId, type, version }) => ({ userId, jobId, type, version })),
  );
  const users = new Set(feeds.map(({ person: { userId } }) => userId));
  const ends = [...log.filter(({ userId }) => users.has(userId)), ...seen];
  const lastOf = new Map(
    ends.flatMap(({ jobId, type, version }) => (type === "DELETED" ? [[jobId, version - 1]] : [])),
  );
  const expected = new Map<string, End>();
  for (const { userId, jobId, type, version } of ends)
    if (ENDS.has(type) && version >= (lastOf.get(jobId) ?? 0))
      expected.set(keyOf({ jobId, version }), { userId, jobId, version });
  return [...expected.values()];
}

const keyOf = ({ jobId, version }: Pick<End, "jobId" | "version">) => `${jobId} ${version}`;

/** Waits until each end has arrived, and reports those that have not. */
export async function untilDelivered(
  { arrived }: ChaosReceiver,
  ends: readonly End[],
  violations: Violations,
): Promise<void> {
  const missing = () => {
    const accepted = new Set(arrived.filter(({ isAccepted }) => isAccepted).map(keyOf));
    return ends.filter((end) => !accepted.has(keyOf(end)));
  };
  const deadline = Date.now() + DELIVERED_WITHIN_MS;
  while (Date.now() < deadline && missing().length > 0) await pause(200);
  for (const { jobId, version } of missing())
    violations.add("lost", `no webhook has reported ${jobId} at version ${version}`);
}

/**
 * Checks the order of each user's webhooks, and that at most one of each user is repeated for each
 * interruption.
 */
export function checkWebhooks(
  arrived: readonly ArrivedWebhook[],
  { interruptions, violations }: { interruptions: number; violations: Violations },
): WebhookStatistics {
  const delivered = new Set<string>();
  let repeated = 0;
  for (const [userId, attempts] of groupBy(arrived, (attempt) => attempt.userId)) {
    let [last, repeatedOfUser] = [0, 0];
    for (const { id, cursor, jobId, version, isAccepted } of attempts) {
      const { seq } = decodeStreamCursor(cursor, userId);
      if (seq < last)
        violations.add("out of order", `the webhook ${id} of event ${seq} came after ${last}`);
      last = Math.max(last, seq);
      if (id !== `evt_${jobId}_${version}`)
        violations.add("other", `the webhook of ${jobId} at version ${version} has the id ${id}`);
      if (delivered.has(id)) repeatedOfUser++;
      else if (isAccepted) delivered.add(id);
    }
    if (repeatedOfUser > interruptions)
      violations.add(
        "repeated",
        `${repeatedOfUser} webhooks of ${userId} came again after ${interruptions} interruptions`,
      );
    repeated += repeatedOfUser;
  }
  return { delivered: delivered.size, attempts: arrived.length, repeated };
}
