import type { FastifyInstance } from "fastify";
import { watchUpload } from "./upload-patience.js";

/** Ends a request whose body is not here within `bodyMs`: it fails with TooSlowError. Uploads have a patience of their own. */
export function limitBodies(app: FastifyInstance, bodyMs: number): void {
  app.addHook("preParsing", (request, _reply, payload, done) => {
    const { raw, routeOptions } = request;
    const hasBody = raw.headers["content-length"] !== undefined || raw.headers["transfer-encoding"] !== undefined;
    if (hasBody && routeOptions.url !== "/photos") {
      const watch = watchUpload(raw, { idleMs: bodyMs, wholeMs: bodyMs });
      raw.once("close", () => watch.stop());
    }
    done(null, payload);
  });
}
