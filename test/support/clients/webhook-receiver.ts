import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

export const SECRET = `whsec_${Buffer.alloc(32, "s").toString("base64")}`;

export interface ReceivedWebhook {
  id: string;
  headers: IncomingHttpHeaders;
  /** The verified body. */
  event: {
    type: string;
    timestamp: string;
    data: {
      cursor: string;
      user: Record<string, string>;
      queuedJob: Record<string, unknown> & { id: string };
    };
  };
  at: number;
}

export type AnswerWebhook = (
  response: ServerResponse,
  webhook: ReceivedWebhook,
) => void | Promise<void>;

export interface TestReceiver {
  url: string;
  /** Every webhook in the order of its arrival, whatever the answer was. */
  received: ReceivedWebhook[];
  /** Answers each webhook; 204 by default. */
  answer: AnswerWebhook;
  close(): Promise<void>;
}

/** A receiver that verifies each webhook with the public package, and answers as a test wants. */
export async function startReceiver({ port = 0, secret = SECRET } = {}): Promise<TestReceiver> {
  const verifier = new Webhook(secret);
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const event = verifier.verify(body, request.headers as Record<string, string>);
      const webhook: ReceivedWebhook = {
        id: String(request.headers["webhook-id"]),
        headers: request.headers,
        event: event as ReceivedWebhook["event"],
        at: Date.now(),
      };
      receiver.received.push(webhook);
      await receiver.answer(response, webhook);
    })().catch(() => response.writeHead(400).end());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const receiver: TestReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: [],
    answer: (response) => void response.writeHead(204).end(),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return receiver;
}
