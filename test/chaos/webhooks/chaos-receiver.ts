import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";

/** A webhook as it arrived. */
export interface ArrivedWebhook {
  /** The same for each attempt. */
  id: string;
  userId: string;
  cursor: string;
  jobId: string;
  version: number;
  status: string;
  /** True if a 2xx was sent. */
  isAccepted: boolean;
}

/** A receiver that verifies each webhook, fails now and then, and can be killed. */
export interface ChaosReceiver {
  env: { WEBHOOK_URL: string; WEBHOOK_SECRET: string };
  /** Every attempt of a webhook, in the order of arrival. */
  readonly arrived: readonly ArrivedWebhook[];
  /** Cuts all connections at once, and listens again after this time. */
  kill(ms: number): Promise<void>;
  /** Fails at random from now on. */
  disturb(random: SeededRandom): void;
  /** Answers each webhook with 204 from now on. */
  calm(): void;
  close(): Promise<void>;
}

interface Body {
  data: {
    cursor: string;
    user: { id: string };
    queuedJob: { id: string; version: number; status: string };
  };
}

const SECRET = `whsec_${Buffer.alloc(32, "chaos").toString("base64")}`;
/** Longer than the sender reads a body. */
const SLOW_BODY_MS = 3000;

type Answer = (response: ServerResponse) => void;

/** Disturbed answers. Each delays its user for seconds, so they are rare. */
const REFUSALS: readonly Answer[] = [
  (response) => void response.writeHead(500).end("out of order"),
  (response) => void response.writeHead(429, { "retry-after": "1" }).end(),
  (response) => void response.writeHead(302, { location: "/elsewhere" }).end(),
  // The connection breaks off without an answer.
  (response) => void response.destroy(),
  // It hangs until the sender's time is over.
  () => {},
];
const REFUSED = 0.008;
const SLOW = 0.01;

const accept: Answer = (response) => void response.writeHead(204).end();
const acceptSlowly: Answer = (response) => {
  response.writeHead(200).write("a slow ");
  setTimeout(() => response.end("body"), SLOW_BODY_MS).unref();
};

export async function startChaosReceiver(violations: Violations): Promise<ChaosReceiver> {
  const verifier = new Webhook(SECRET);
  const arrived: ArrivedWebhook[] = [];
  let random: SeededRandom | null = null;

  function chooseAnswer(): { answer: Answer; isAccepted: boolean } {
    if (random?.chance(REFUSED)) return { answer: random.pick(REFUSALS), isAccepted: false };
    return { answer: random?.chance(SLOW) ? acceptSlowly : accept, isAccepted: true };
  }

  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        try {
          const event = verifier.verify(body, request.headers as Record<string, string>);
          const { answer, isAccepted } = chooseAnswer();
          arrived.push({ ...recordOf(event as Body, request.headers), isAccepted });
          answer(response);
        } catch (error) {
          violations.add("other", `a webhook was not valid: ${String(error)}`);
          response.writeHead(400).end();
        }
      },
      // A killed worker breaks its request off.
      () => {},
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function stop(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  return {
    env: { WEBHOOK_URL: `http://127.0.0.1:${port}/`, WEBHOOK_SECRET: SECRET },
    arrived,
    async kill(ms) {
      await stop();
      await pause(ms);
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    disturb: (next) => void (random = next),
    calm: () => void (random = null),
    close: stop,
  };
}

function recordOf(
  { data: { cursor, user, queuedJob } }: Body,
  headers: NodeJS.Dict<string | string[]>,
): Omit<ArrivedWebhook, "isAccepted"> {
  const { id: jobId, version, status } = queuedJob;
  return { id: String(headers["webhook-id"]), userId: user.id, cursor, jobId, version, status };
}
