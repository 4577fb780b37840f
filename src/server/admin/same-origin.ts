import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * Refuses every change that does not come from a page of our own: a browser sends the password of
 * this area along with whatever any page makes it send. Browsers say where a request comes from;
 * one that does not say is refused.
 */
export async function refuseOtherOrigins(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (request.method === "GET" || request.method === "HEAD" || isOwn(request)) return;
  return reply
    .code(403)
    .send({ code: "FORBIDDEN", message: "This can only be done from this service's own pages." });
}

function isOwn({ headers }: FastifyRequest): boolean {
  // Not sent to plain http outside this machine; then the origin has to do.
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin, host } = headers;
  return (
    origin !== undefined && URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
  );
}
