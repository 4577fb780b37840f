import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { makeToken, rsaKey } from "../../../auth/make-token.js";
import { eventually } from "../../../support/runner/eventually.js";
import { inOneMinute } from "../../../support/runner/in-one-minute.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

/** The rate limit of the service. One tenth of it is the limit for rejected tokens. */
const REQUESTS = 100;
const FAILURES = REQUESTS / 10;
const FLOOD = 200;
const unknownKey = rsaKey();

describe("a flood of invalid tokens", () => {
  let service: TestService;
  let addresses = 0;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { RATE_LIMIT_PER_MINUTE: String(REQUESTS), TRUST_PROXY: "1" },
    });
  });
  after(() => service.close());

  const newAddress = () => `10.3.0.${++addresses}`;
  async function ask(address: string, token: string, url = service.url): Promise<number> {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
      "x-forwarded-for": address,
    };
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers,
      body: '{"query":"{ me { id } }"}',
    });
    await response.text();
    return response.status;
  }

  /** Creates a token with slightly different claims each time, and a wrong signature. */
  async function forge(): Promise<string> {
    const [head, claims] = (await service.token()).split(".");
    return `${head}.${claims}.${Buffer.alloc(64, 7).toString("base64url")}`;
  }

  async function flood(address: string, count: number): Promise<number[]> {
    const tokens = await Promise.all(Array.from({ length: count }, forge));
    const statuses: number[] = [];
    for (let i = 0; i < tokens.length; i += 20) {
      statuses.push(
        ...(await Promise.all(tokens.slice(i, i + 20).map((token) => ask(address, token)))),
      );
    }
    return statuses;
  }

  function countVerifications(t: TestContext): () => number {
    const verify = t.mock.method(globalThis.crypto.subtle, "verify");
    return () => verify.mock.callCount();
  }

  it("is refused without verification, except a tenth of the limit and some each second", (t) =>
    inOneMinute(async () => {
      const verifications = countVerifications(t);
      const [startedAt, countBefore] = [Date.now(), verifications()];
      const statuses = await flood(newAddress(), FLOOD);
      const seconds = Math.ceil((Date.now() - startedAt) / 1000) + 1;
      assert.deepEqual([...new Set(statuses)].toSorted(), [401, 429]);
      const count = verifications() - countBefore;
      assert.ok(
        count <= FAILURES + 20 + 20 * seconds,
        `${count} signatures of ${FLOOD} were verified in ${seconds} s`,
      );
    })());

  it(
    "does not affect a signed-in user at the same address, nor the user's next token",
    inOneMinute(async () => {
      const address = newAddress();
      const sub = `worker-at-${address}`;
      const token = await service.token({ sub });
      assert.equal(await ask(address, token), 200);
      const flooding = flood(address, FLOOD);
      await eventually(
        "the address is over its limit",
        async () => (await ask(address, await forge())) === 429,
      );
      for (let i = 1; i <= 3; i++) {
        assert.equal(await ask(address, token), 200, "the token was verified before");
        assert.equal(
          await ask(address, await service.token({ sub, jti: `next-${i}` })),
          200,
          "the token is new",
        );
      }
      await flooding;
    }),
  );

  it("is refused also when the forged tokens name a signed-in user", (t) =>
    inOneMinute(async () => {
      const address = newAddress();
      const sub = `worker-at-${address}`;
      assert.equal(await ask(address, await service.token({ sub })), 200);
      await flood(address, FAILURES + 1);
      const verifications = countVerifications(t);
      const startedAt = Date.now();
      for (let i = 0; i < 100; i++) {
        const [head, claims] = (await service.token({ sub, jti: `${i}` })).split(".");
        assert.equal(
          await ask(address, `${head}.${claims}.${Buffer.alloc(64, 7).toString("base64url")}`),
          429,
        );
      }
      const seconds = Math.ceil((Date.now() - startedAt) / 1000) + 1;
      assert.ok(
        verifications() < 20 * seconds + 10,
        `${verifications()} signatures were verified in ${seconds} s`,
      );
    })());

  it("does not keep out a new user from the same address", async () => {
    const address = newAddress();
    let over = false;
    const flooding = (async () => {
      while (!over) await flood(address, 20);
    })();
    await eventually(
      "the address is over its limit",
      async () => (await ask(address, await forge())) === 429,
    );
    const token = await service.token();
    await eventually(
      "a valid token is accepted",
      async () => (await ask(address, token)) === 200,
      15_000,
    );
    over = true;
    await flooding;
  });

  it(
    "counts unknown keys also while the key server is unavailable",
    inOneMinute(async () => {
      const env = {
        JWT_PUBLIC_KEY: "",
        JWT_JWKS_URL: "http://127.0.0.1:9/keys",
        RATE_LIMIT_PER_MINUTE: "50",
        TRUST_PROXY: "1",
      };
      const keyless = await startTestService({ workers: 0, env });
      try {
        const address = newAddress();
        const unknown = () => makeToken(unknownKey, { sub: "x" }, { kid: `${Math.random()}` });
        const statuses: number[] = [];
        for (let i = 0; i < 7; i++) statuses.push(await ask(address, unknown(), keyless.url));
        assert.deepEqual(statuses, [503, 503, 503, 503, 503, 429, 429]);
      } finally {
        await keyless.close();
      }
    }),
  );
});
