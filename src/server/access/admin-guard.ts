import { createHash, timingSafeEqual } from "node:crypto";
import fastifyBasicAuth from "@fastify/basic-auth";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { networkOf } from "../http/client-address.js";

export interface AdminGuard {
  /**
   * Admits only operators to the routes of `scope`. The scope must be separate
   * (`app.register(async (scope) => …)`), and its routes must be added afterwards. Other requests
   * get 401, 429 with `retry-after`, or 404 when no password is set.
   */
  protect(scope: FastifyInstance): Promise<void>;
}

/** The only user of these routes. */
export const ADMIN_USER = "admin";
const MAX_WRONG_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Maximum addresses that are remembered; the one whose last wrong guess is oldest goes first. */
const MAX_ADDRESSES = 10_000;

/**
 * HTTP Basic authentication for operators. All admin routes share one guard, so that it counts
 * their wrong passwords together.
 */
export function createAdminGuard(
  password: string | null,
  { now = Date.now }: { now?: () => number } = {},
): AdminGuard {
  // The count expires one minute after the first wrong password. After ten wrong ones, no password
  // is checked, not even the right one.
  const wrong = new LRUCache<string, number>({
    max: MAX_ADDRESSES,
    ttl: MINUTE_MS,
    ttlResolution: 0,
    noUpdateTTL: true,
    perf: { now },
  });
  const right = digest(`${ADMIN_USER}:${password}`);

  async function validate(user: string, guess: string, request: FastifyRequest): Promise<void> {
    // Digests have one length, and a wrong user takes as long as a wrong password.
    if (timingSafeEqual(digest(`${user}:${guess}`), right)) return;
    const address = networkOf(request.ip);
    wrong.set(address, (wrong.get(address) ?? 0) + 1);
    throw new Error("wrong user or password");
  }

  async function refuseGuessers(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const address = networkOf(request.ip);
    if ((wrong.get(address) ?? 0) < MAX_WRONG_PER_MINUTE) return;
    return reply
      .code(429)
      .header("retry-after", Math.ceil(wrong.getRemainingTTL(address) / 1000))
      .send({
        code: "QUOTA_EXCEEDED",
        message:
          `Too many wrong passwords from your address: at most ${MAX_WRONG_PER_MINUTE} per ` +
          "minute; try again in a minute.",
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
                'Admin sign-in required: user "admin" with the password from ADMIN_PASSWORD.',
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
