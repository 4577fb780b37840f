// A receiver of webhooks: it verifies, answers, and handles each event once. `npm run demo --
// --webhook` runs it. Keep the ids where your data is, in the same transaction as its effect.
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

/** `handle` must be safe to repeat until it has resolved; after a failure the event comes again. */
export function receiveWebhooks(
  secret: string,
  handle: (event: unknown) => Promise<void> | void,
): Server {
  const [webhook, seen] = [new Webhook(secret), new Set<string>()];
  return createServer(async (request, response) => {
    const body = await text(request);
    const answer = (status: number) => response.writeHead(status).end();
    try {
      const event = webhook.verify(body, request.headers as Record<string, string>);
      const id = String(request.headers["webhook-id"]);
      if (!seen.has(id)) await handle(event);
      seen.add(id);
      answer(204);
    } catch {
      answer(400);
    }
  });
}
