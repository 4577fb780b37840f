import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { TooSlowError } from "../../domain/errors.js";

/** Maximum interval between checks of incomplete bodies. */
const CHECK_MS = 1000;

/**
 * Ends a request with TooSlowError if its body is incomplete after `bodyMs`. Uploads have other
 * timeouts. One timer checks all requests, since almost every body is complete at the first check.
 */
export function limitBodies(app: FastifyInstance, bodyMs: number): void {
  const startTimes = new Map<IncomingMessage, number>();
  const check = () => endLate(startTimes, bodyMs);
  const timer = setInterval(check, Math.min(CHECK_MS, bodyMs / 4)).unref();
  app.addHook("onClose", async () => clearInterval(timer));
  app.addHook("preParsing", ({ raw, routeOptions }, _reply, payload, done) => {
    const hasBody =
      raw.headers["content-length"] !== undefined || raw.headers["transfer-encoding"] !== undefined;
    if (hasBody && routeOptions.url !== "/photos") startTimes.set(raw, Date.now());
    done(null, payload);
  });
}

function endLate(startTimes: Map<IncomingMessage, number>, bodyMs: number): void {
  const now = Date.now();
  for (const [raw, since] of startTimes) {
    const isOver = raw.complete || raw.destroyed;
    if (!isOver && now - since < bodyMs) continue;
    startTimes.delete(raw);
    if (!isOver)
      abandon(raw, new TooSlowError(`The body took more than ${bodyMs / 1000} seconds.`));
  }
}

/** Maximum time without progress of an upload, and maximum time for the whole upload. */
export interface UploadTimeouts {
  idleMs: number;
  wholeMs: number;
}

export const UPLOAD_TIMEOUTS: UploadTimeouts = { idleMs: 30_000, wholeMs: 600_000 };

export interface UploadWatch {
  /** The reason why reading was ended; null if it was not. */
  readonly fault: TooSlowError | null;
  stop(): void;
}

/**
 * Ends the reading of a body that arrives too slowly: its reader fails, and the connection stays
 * open for the answer.
 */
export function watchUpload(
  raw: IncomingMessage,
  { idleMs, wholeMs }: UploadTimeouts,
): UploadWatch {
  const { socket } = raw;
  const startedAt = Date.now();
  let fault: TooSlowError | null = null;
  let [bytes, progressAt] = [socket.bytesRead, startedAt];

  function check(): void {
    if (raw.complete) return clearInterval(timer);
    const now = Date.now();
    if (socket.bytesRead > bytes) [bytes, progressAt] = [socket.bytesRead, now];
    if (now - progressAt < idleMs && now - startedAt < wholeMs) return;
    clearInterval(timer);
    fault = new TooSlowError(
      now - progressAt < idleMs
        ? `The upload took more than ${wholeMs / 1000} seconds.`
        : `The upload made no progress for ${idleMs / 1000} seconds.`,
    );
    abandon(raw, fault);
  }

  const timer = setInterval(check, Math.min(CHECK_MS, idleMs / 4));
  return {
    get fault() {
      return fault;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Destroys the request without its socket, which the answer still needs. Node's pipelines do the
 * same.
 */
function abandon(raw: IncomingMessage, fault: Error): void {
  Object.assign(raw, { socket: null });
  raw.destroy(fault);
}
