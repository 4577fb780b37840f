import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { TooSlowError } from "../../domain/errors.js";

/** How often the bodies that are not here yet are looked at, at the most. */
const LOOK_MS = 1000;

/**
 * Ends a request whose body is not here within `bodyMs`: it fails with TooSlowError. Uploads have a
 * patience of their own. One timer for all of them: nearly every body is here when it is first
 * looked at.
 */
export function limitBodies(app: FastifyInstance, bodyMs: number): void {
  const begun = new Map<IncomingMessage, number>();
  const timer = setInterval(() => endLate(begun, bodyMs), Math.min(LOOK_MS, bodyMs / 4)).unref();
  app.addHook("onClose", async () => clearInterval(timer));
  app.addHook("preParsing", ({ raw, routeOptions }, _reply, payload, done) => {
    const hasBody =
      raw.headers["content-length"] !== undefined || raw.headers["transfer-encoding"] !== undefined;
    if (hasBody && routeOptions.url !== "/photos") begun.set(raw, Date.now());
    done(null, payload);
  });
}

function endLate(begun: Map<IncomingMessage, number>, bodyMs: number): void {
  const now = Date.now();
  for (const [raw, since] of begun) {
    const over = raw.complete || raw.destroyed;
    if (!over && now - since < bodyMs) continue;
    begun.delete(raw);
    if (!over) abandon(raw, new TooSlowError(`The body took more than ${bodyMs / 1000} seconds.`));
  }
}

/** How long an upload may stand still, and how long it may take from its first byte to its last. */
export interface UploadTimeouts {
  idleMs: number;
  wholeMs: number;
}

export const UPLOAD_TIMEOUTS: UploadTimeouts = { idleMs: 30_000, wholeMs: 600_000 };

export interface UploadWatch {
  /** Why its reading was ended; null when it was not. */
  readonly fault: TooSlowError | null;
  stop(): void;
}

/**
 * Ends the reading of a request whose body comes too slowly; whoever reads it fails then, and its
 * connection stays for the answer.
 */
export function watchUpload(
  raw: IncomingMessage,
  { idleMs, wholeMs }: UploadTimeouts,
): UploadWatch {
  const { socket } = raw;
  const begun = Date.now();
  let fault: TooSlowError | null = null;
  let [bytes, moved] = [socket.bytesRead, begun];

  function look(): void {
    if (raw.complete) return clearInterval(timer);
    const now = Date.now();
    if (socket.bytesRead > bytes) [bytes, moved] = [socket.bytesRead, now];
    if (now - moved < idleMs && now - begun < wholeMs) return;
    clearInterval(timer);
    fault = new TooSlowError(
      now - moved < idleMs
        ? `The upload took more than ${wholeMs / 1000} seconds.`
        : `Nothing came of the upload for ${idleMs / 1000} seconds.`,
    );
    abandon(raw, fault);
  }

  const timer = setInterval(look, Math.min(1000, idleMs / 4));
  return {
    get fault() {
      return fault;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * As a pipeline of Node does with a server's request: without its socket, which the answer still
 * needs.
 */
function abandon(raw: IncomingMessage, fault: Error): void {
  Object.assign(raw, { socket: null });
  raw.destroy(fault);
}
