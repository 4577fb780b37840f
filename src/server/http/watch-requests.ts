import type { FastifyInstance } from "fastify";

export type OnRequest = (request: {
  method: string;
  route: string | null;
  status: number;
  seconds: number;
}) => void;

/**
 * Tells each answer: its route as a pattern, null where none matched, so that no client can make up
 * new ones.
 */
export function watchRequests(app: FastifyInstance, onRequest: OnRequest): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? null;
    const seconds = reply.elapsedTime / 1000;
    onRequest({ method: request.method, route, status: reply.statusCode, seconds });
    if (!route?.startsWith("/health"))
      request.log.debug(
        { method: request.method, route, status: reply.statusCode, seconds },
        "answered",
      );
    done();
  });
}
