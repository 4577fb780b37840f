import assert from "node:assert/strict";
import { ecKey, edKey, makeToken, rsaKey, type TestKey } from "../auth/make-token.js";
import { createTestClient, type TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const ISSUER = "https://issuer.test";
const AUDIENCE = "photo-service-test";

export interface AttackedService extends Pick<
  TestService,
  "url" | "database" | "logged" | "close"
> {
  keys: { rsa: TestKey; ec: TestKey; ed: TestKey };
  /** Claims of a valid token. */
  good: Record<string, unknown>;
  /** A user from before the attack. */
  victim: TestClient;
  /** Creates a new user without any data. */
  stranger(): Promise<TestClient>;
  /** Asserts that the service still responds, and has logged no unexpected error. */
  assertUnharmed(): Promise<void>;
}

/** Starts the service as in production, with keys whose private halves the test has. */
export async function startAttackedService(
  env: Record<string, string> = {},
  workers = 0,
): Promise<AttackedService> {
  const keys = { rsa: rsaKey(), ec: ecKey(), ed: edKey() };
  const service = await startTestService({
    workers,
    env: { JWT_PUBLIC_KEY: keys.rsa.pem + keys.ec.pem + keys.ed.pem, ...env },
  });
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "victim",
    email: "victim@example.test",
    email_verified: true,
    iat: now,
    exp: now + 3600,
  };
  const victim = createTestClient(service.url, makeToken(keys.ec, good));
  await victim.get("{ me { id } }");

  let strangers = 0;
  async function stranger(): Promise<TestClient> {
    const sub = `stranger-${++strangers}`;
    return createTestClient(
      service.url,
      makeToken(keys.ec, { ...good, sub, email: `${sub}@example.test` }),
    );
  }

  async function assertUnharmed(): Promise<void> {
    assert.equal((await victim.get("{ me { email } }")).me.email, "victim@example.test");
    // Redis may time out on a busy machine; this is not the effect of an attack.
    assert.deepEqual(
      service.logged
        .filter(
          (line) =>
            Number(line["level"]) >= 50 && !String(line["msg"]).startsWith("Redis is unavailable"),
        )
        .map((line) => [line["msg"], line["err"]]),
      [],
    );
  }

  return {
    url: service.url,
    database: service.database,
    logged: service.logged,
    close: service.close,
    keys,
    good,
    victim,
    stranger,
    assertUnharmed,
  };
}

/** Internals that no response may contain: stacks, file paths, SQL, names of libraries. */
export const LEAKS = new RegExp(
  [
    String.raw`\bat .+\.[jt]s:\d|node_modules|/(?:usr|home|root|tmp|var)/`,
    String.raw`\b(?:select|insert|update|delete)\b.+\b(?:from|into|where)\b`,
    'relation "|postgres(?!ql)|drizzle|ioredis|ECONNREFUSED',
    "PostgresError|TypeError|RangeError|FST_ERR|JOSE|ERR_J",
  ].join("|"),
  "i",
);
