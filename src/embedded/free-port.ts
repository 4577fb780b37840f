import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { EmbeddedError } from "./embedded-error.js";
import { waitUntil } from "./processes/wait-until.js";

/**
 * Below the range from which systems take the ports of outgoing connections: a client that knocks
 * at a stopped server's port from that range can get the very same port as its own, connect to
 * itself, and so keep the server from coming back.
 */
const LOWEST = 15_000;
const BEYOND = 32_000;

/** `preferred` while it is free on 127.0.0.1, else another port that is. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  const found = await waitUntil(tryOne, { deadlineMs: 5_000, everyMs: 0 });
  if (found !== undefined) return found;
  throw new EmbeddedError(
    `No port between ${LOWEST} and ${BEYOND} can be opened on 127.0.0.1: end what holds ` +
      "them, or set DATABASE_URL and REDIS_URL.",
  );
}

async function tryOne(): Promise<number | undefined> {
  const port = randomInt(LOWEST, BEYOND);
  return (await isFree(port)) ? port : undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
