import { createServer } from "node:net";
import { randomInt } from "node:crypto";
import { EmbeddedError } from "./embedded-error.js";
import { waitUntil } from "./processes/wait-until.js";

interface Place {
  host: string;
  port: number;
  /** Name of the variable that chooses another port. */
  variable: string;
}

/**
 * Returns the port if it is free, or a free port for 0. Throws EmbeddedError with the variable that
 * chooses another port.
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

/** For `catch` after listening: throws EmbeddedError when the system refuses the address. */
export function explainListening(place: Place): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw cause.syscall === "listen" ? refusal(cause, place) : cause;
  };
}

function refusal(cause: NodeJS.ErrnoException, { host, port, variable }: Place): EmbeddedError {
  if (cause.code === "EADDRINUSE")
    return new EmbeddedError(
      `Another program uses port ${port}: stop it, or choose another port with ` +
        `${variable}=${port + 10}.`,
      { cause },
    );
  if (cause.code === "EACCES")
    return new EmbeddedError(
      `The system does not allow port ${port}: choose a port above 1023 with ${variable}.`,
      { cause },
    );
  return new EmbeddedError(
    `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): set HOST to an ` +
      "address of this machine.",
    { cause },
  );
}

/**
 * The range below the ports of outgoing connections. A client that connects to a stopped server's
 * port from that range can get the same port, connect to itself, and so block the server.
 */
const MIN_PORT = 15_000;
const END_PORT = 32_000;

/** Returns `preferred` if it is free on 127.0.0.1, else another free port. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  const port = await waitUntil(tryOne, { deadlineMs: 5_000, everyMs: 0 });
  if (port !== undefined) return port;
  throw new EmbeddedError(
    `No port between ${MIN_PORT} and ${END_PORT} can be opened on 127.0.0.1: end what holds ` +
      "them, or set DATABASE_URL and REDIS_URL.",
  );
}

async function tryOne(): Promise<number | undefined> {
  const port = randomInt(MIN_PORT, END_PORT);
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
