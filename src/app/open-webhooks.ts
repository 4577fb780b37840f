import { createWebhookMetrics } from "../observability/webhook-metrics.js";
import type { MetricsPage } from "../observability/metrics-page.js";
import { createFileUrls } from "../photos/file-urls.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import type { UndeliveredLimits } from "../services/maintenance/purge-events.js";
import { createDuties } from "../services/maintenance/duties.js";
import { createWebhookOrders } from "../services/operators/webhook-orders.js";
import { createEventLog } from "../services/reads/event-log.js";
import { createWebhookDeliveries } from "../services/webhooks/webhook-deliveries.js";
import { createSigner } from "../services/webhooks/webhook-messages.js";
import { createWebhookPositions } from "../services/webhooks/webhook-positions.js";
import { createWebhookReceiver } from "../services/webhooks/webhook-receiver.js";
import { createWebhookRequests, FAILURES } from "../services/webhooks/webhook-requests.js";
import { createWebhookSearch } from "../services/webhooks/webhook-search.js";
import { WebhookSender } from "../worker/webhook-sender.js";
import type { Core } from "./create-core.js";
import { readFileSigningKey } from "../photos/file-signing-key.js";
import { type CompleteConfig, version } from "./read-config.js";

/** Time for which undelivered events are kept: the days of attempts, and some for an operator. */
const KEPT_SECONDS = 7 * 86_400;

/** Leaves half of a user's recorded bytes free, so that a receiver that fails refuses no job. */
export function undeliveredLimits(config: CompleteConfig): UndeliveredLimits | null {
  const maxRecordedBytes = Math.floor(config.maxRecordedBytesPerUser / 2);
  return config.webhooks && { keptSeconds: KEPT_SECONDS, maxRecordedBytes };
}

/** Starts the deliveries of this worker, if a receiver is configured. */
export async function openWebhooks(
  config: CompleteConfig,
  {
    core: { database, storage },
    worker,
    log,
    metrics: { page },
  }: { core: Core; worker: string; log: Logger; metrics: { page: MetricsPage } },
  stack: ClosingStack,
): Promise<void> {
  const { webhooks, publicUrl } = config;
  if (webhooks === null) return;
  const signingKey = await readFileSigningKey(config);
  const receiver = createWebhookReceiver(database);
  const positions = createWebhookPositions(database);
  const eventLog = createEventLog(database);
  const { onAnswer } = createWebhookMetrics(page, {
    failures: FAILURES,
    readCounts: createWebhookOrders(database).readCounts,
  });
  const deliveries = createWebhookDeliveries({
    positions,
    receiver,
    requests: createWebhookRequests({ url: webhooks.url, userAgent: `photo-service/${version}` }),
    sign: createSigner(webhooks.secrets),
    fileUrls: createFileUrls({ signingKey, publicUrl, storage }),
    events: webhooks.events,
    log,
    onAnswer,
  });
  const sender = new WebhookSender({
    positions,
    deliveries,
    search: createWebhookSearch({ database, jobTtlSeconds: config.jobTtlSeconds }),
    readEpoch: async () => (await eventLog.heads([])).epoch,
    duties: createDuties(database),
    worker,
    log,
  });
  stack.add("webhooks", () => sender.close());
}
