import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { receiveWebhooks } from "../../examples/webhook-receiver.js";

export interface WebhookWatch {
  /** Variables with which the service delivers to this receiver. */
  env: { WEBHOOK_URL: string; WEBHOOK_SECRET: string };
  /** Resolves when this number of webhooks has arrived; rejects after a while. */
  waitFor(count: number): Promise<void>;
  close(): Promise<void>;
}

interface ReceivedEvent {
  type: string;
  data: { user: { email: string }; queuedJob: { job: string; outputs: { url: string }[] } };
}

const TIMEOUT_MS = 20_000;

/** Listens on this machine, verifies each webhook, and prints it. */
export async function watchWebhooks(out: NodeJS.WritableStream): Promise<WebhookWatch> {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  let count = 0;
  const server = receiveWebhooks(secret, (event) => {
    const { type, data } = event as ReceivedEvent;
    const { user, queuedJob } = data;
    const { length } = queuedJob.outputs;
    const files = length === 1 ? "1 file" : `${length} files`;
    out.write(`  webhook      ${type}  ${queuedJob.job} of ${user.email}, ${files}, verified\n`);
    count++;
    server.emit("webhook");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: { WEBHOOK_URL: `http://127.0.0.1:${port}/`, WEBHOOK_SECRET: secret },
    async waitFor(wanted) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      while (count < wanted) await once(server, "webhook", { signal });
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
