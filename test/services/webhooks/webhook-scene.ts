import { randomUUID } from "node:crypto";
import { createFileUrls } from "../../../src/photos/file-urls.js";
import type { WebhookEvent } from "../../../src/runtime/variables.js";
import { createWebhookDeliveries } from "../../../src/services/webhooks/webhook-deliveries.js";
import { createSigner } from "../../../src/services/webhooks/webhook-messages.js";
import {
  createWebhookPositions,
  type Held,
} from "../../../src/services/webhooks/webhook-positions.js";
import { createWebhookReceiver } from "../../../src/services/webhooks/webhook-receiver.js";
import { createWebhookRequests } from "../../../src/services/webhooks/webhook-requests.js";
import { createWebhookSearch } from "../../../src/services/webhooks/webhook-search.js";
import { SECRET, type TestReceiver } from "../../support/clients/webhook-receiver.js";
import { silentLog } from "../../support/runner/silent-log.js";
import type { TestServices } from "../../support/service/test-services.js";

const ALL: WebhookEvent[] = ["SUCCEEDED", "FAILED", "CANCELLED"];
const EPOCH = "0123456789abcdef";
const signal = new AbortController().signal;
const fileUrls = createFileUrls({
  signingKey: "a-signing-key-for-tests-0123456789abcdef",
  publicUrl: null,
  storage: { presign: async () => null },
});

export type WebhookScene = Awaited<ReturnType<typeof createWebhookScene>>;

/** A worker's part of webhooks, of which the test makes each step. */
export async function createWebhookScene(
  { database }: Pick<TestServices, "database">,
  receiver: Pick<TestReceiver, "url">,
  { events = ALL, timeoutMs = 10_000 }: { events?: WebhookEvent[]; timeoutMs?: number } = {},
) {
  const { sql } = database;
  const positions = createWebhookPositions(database);
  const search = createWebhookSearch({ database, jobTtlSeconds: 3600 });
  const deliveries = createWebhookDeliveries({
    positions,
    receiver: createWebhookReceiver(database),
    requests: createWebhookRequests({ url: receiver.url, userAgent: "test", timeoutMs }),
    sign: createSigner([SECRET]),
    fileUrls,
    events,
    log: silentLog,
    random: () => 0,
  });
  await search.begin();

  const scene = {
    positions,
    search,
    deliveries,
    find: () => search.run(signal),
    take: (limit = 32): Promise<Held[]> => positions.take(`test/${randomUUID()}`, limit),
    deliver: (held: Held) =>
      deliveries.deliver(held, {
        epoch: EPOCH,
        takenAt: performance.now(),
        signal,
        isStopping: () => false,
      }),
    /** Searches, and delivers until nothing is due. Returns the number of leases. */
    async round(): Promise<number> {
      await scene.find();
      let count = 0;
      for (let taken = await scene.take(); taken.length > 0; taken = await scene.take()) {
        count += taken.length;
        await Promise.all(taken.map(scene.deliver));
      }
      return count;
    },
    /** Makes waiting attempts due. */
    expirePauses: () => sql`update webhook_positions set due_at = now() where due_at is not null`,
    async position(userId: string): Promise<Record<string, unknown>> {
      const [row] = await sql`
        select seq::float8 as seq, attempts, due_at is not null as due, holder,
          paused_at is not null as paused, last_status as status, last_reason as reason,
          last_body as body, missed::float8 as missed,
          extract(epoch from due_at - last_at)::float8 as pause
        from webhook_positions where user_id = ${userId}`;
      return { ...row };
    },
  };
  return scene;
}
