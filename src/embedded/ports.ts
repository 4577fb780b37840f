import { createServer } from "node:net";
import { randomInt } from "node:crypto";
import { EmbeddedError } from "./embedded-error.js";
import { waitUntil } from "./processes/wait-until.js";

interface Place {
  host: string;
  port: number;
  /** Chooses another port. */
  variable: string;
}

/**
 * The port, which nobody has now, or a free one for 0; throws EmbeddedError, with the variable that
 * chooses another, when it is taken.
 */
export function claimPort(place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause: NodeJS.ErrnoException) => reject(refusal(cause, place)));
    server.listen({ host: place.host, port: place.port, exclusive: true }, () => {
      const address = server.address();
      const { port } = typeof address === "object" && address !== null ? address : place;
      server.close(() => resolve(port));
    });
  });
}

/** For the `catch` of what listens there: throws EmbeddedError where the system refuses that. */
export function explainListening(place: Place): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw cause.syscall === "listen" ? refusal(cause, place) : cause;
  };
}

function refusal(cause: NodeJS.ErrnoException, { host, port, variable }: Place): EmbeddedError {
  if (cause.code === "EADDRINUSE")
    return new EmbeddedError(
      `Port ${port} is taken by another program: stop it, or choose another port with ` +
        `${variable}=${port + 10}.`,
      { cause },
    );
  if (cause.code === "EACCES")
    return new EmbeddedError(
      `You may not listen on port ${port}: choose one above 1023 with ${variable}.`,
      { cause },
    );
  return new EmbeddedError(
    `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): set HOST to an ` +
      "address of this machine.",
    { cause },
  );
}

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
