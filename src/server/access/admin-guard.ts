import { createHash, timingSafeEqual } from "node:crypto";
import fastifyBasicAuth from "@fastify/basic-auth";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { networkOf } from "../http/client-address.js";

export interface AdminGuard {
  /**
   * Lets only the operator into the routes of `scope`, which must be one of its own
   * (`app.register(async (scope) => …)`) and get its routes afterwards. Everybody else is answered
   * 401, 429 with `retry-after`, or, where no password is set, 404.
   */
  protect(scope: FastifyInstance): Promise<void>;
}

const USER = "admin";
const WRONG_A_MINUTE = 10;
const MINUTE_MS = 60_000;
/**
 * Addresses that are remembered at once; of more, those that guessed least lately are forgotten.
 */
const ADDRESSES = 10_000;

/**
 * HTTP Basic for those who run the service. One for all its routes, so that wrong passwords are
 * counted together.
 */
export function createAdminGuard(
  password: string | null,
  { now = Date.now }: { now?: () => number } = {},
): AdminGuard {
  // A minute from the first wrong one; the right password, too, is not even looked at when ten were
  // wrong.
  const wrong = new LRUCache<string, number>({
    max: ADDRESSES,
    ttl: MINUTE_MS,
    ttlResolution: 0,
    noUpdateTTL: true,
    perf: { now },
  });
  const right = digest(`${USER}:${password}`);

  async function validate(user: string, given: string, request: FastifyRequest): Promise<void> {
    // Digests: of one length, whatever was given, and the same work for a wrong user as for a wrong
    // password.
    if (timingSafeEqual(digest(`${user}:${given}`), right)) return;
    const address = networkOf(request.ip);
    wrong.set(address, (wrong.get(address) ?? 0) + 1);
    throw new Error("wrong user or password");
  }

  async function refuseGuessers(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const address = networkOf(request.ip);
    if ((wrong.get(address) ?? 0) < WRONG_A_MINUTE) return;
    return reply
      .code(429)
      .header("retry-after", Math.ceil(wrong.getRemainingTTL(address) / 1000))
      .send({
        code: "QUOTA_EXCEEDED",
        message: "Too many wrong passwords came from your address; try again in a minute.",
      });
  }

  return {
    async protect(scope) {
      if (password === null)
        return void scope.addHook("onRequest", async (_request, reply) => reply.callNotFound());
      await scope.register(fastifyBasicAuth, {
        validate,
        authenticate: { realm: "Photo Service" },
      });
      scope.addHook("onRequest", refuseGuessers);
      scope.addHook("onRequest", (request, reply, done) => {
        scope.basicAuth(request, reply, (error) => {
          if (error)
            reply.code(401).send({
              code: "UNAUTHENTICATED",
              message:
                "This is for operators: user admin, and the password that ADMIN_PASSWORD sets.",
            });
          else done();
        });
      });
    },
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
