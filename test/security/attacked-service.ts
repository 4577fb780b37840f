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
  /** Claims of a token that holds. */
  good: Record<string, unknown>;
  /** Somebody who was there before the attack. */
  victim: TestClient;
  /** Somebody new, who has nothing. */
  stranger(): Promise<TestClient>;
  /**
   * That the service answers as ever, the attack has left no trace in the database, and nothing
   * unforeseen is in the log.
   */
  assertUnharmed(): Promise<void>;
}

/** The service as production configures it, with keys of which the test has the private halves. */
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
    // A machine that is busy with other tests is no harm done by this one.
    assert.deepEqual(
      service.logged
        .filter(
          (line) => Number(line["level"]) >= 50 && !String(line["msg"]).startsWith("Redis is away"),
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

/** What no answer may hold: stacks, paths of files, SQL, names of libraries. */
export const LEAKS = new RegExp(
  [
    String.raw`\bat .+\.[jt]s:\d|node_modules|/(?:usr|home|root|tmp|var)/`,
    String.raw`\b(?:select|insert|update|delete)\b.+\b(?:from|into|where)\b`,
    'relation "|postgres(?!ql)|drizzle|ioredis|ECONNREFUSED',
    "PostgresError|TypeError|RangeError|FST_ERR|JOSE|ERR_J",
  ].join("|"),
  "i",
);
