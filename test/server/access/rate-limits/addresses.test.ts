import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../../support/runner/eventually.js";
import { inOneMinute } from "../../../support/runner/in-one-minute.js";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const LIMIT = 20;
const EXCEEDED = "Rate limit exceeded: at most 20 requests per minute; retry in the next minute.";
const JSON_TYPE = { "content-type": "application/json" };
const BODY = JSON.stringify({ query: "{ me { id } }" });

describe("a client above the rate limit", () => {
  let service: TestService;
  let addresses = 0;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: "1" },
    });
  });
  after(() => service.close());

  /** Headers with an unused address. */
  const newAddress = () => ({ "x-forwarded-for": `10.1.0.${++addresses}` });
  const refusals = async (ask: () => Promise<Response>, tries: number) =>
    (await Promise.all(Array.from({ length: tries }, ask))).filter(({ status }) => status === 429);
  /** Sends as many requests as the limit allows. */
  const exhaust = async (token: string) =>
    refusals(
      () =>
        fetch(`${service.url}/graphql`, {
          method: "POST",
          body: BODY,
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
        }),
      LIMIT,
    );

  function assertRetryAfter({ headers }: Response, retryAfterMs: unknown): void {
    assert.ok(
      typeof retryAfterMs === "number" && retryAfterMs > 0 && retryAfterMs <= 60_000,
      String(retryAfterMs),
    );
    const seconds = Number(headers.get("retry-after"));
    assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  }

  it(
    "with a token gets QUOTA_EXCEEDED on every route, others at its address do not",
    inOneMinute(async () => {
      const person = await service.person();
      await exhaust(person.token);
      const authorization = `Bearer ${person.token}`;
      for (const accept of ["application/json", "application/graphql-response+json"]) {
        const answer = await fetch(`${service.url}/graphql`, {
          method: "POST",
          body: BODY,
          headers: { ...JSON_TYPE, authorization, accept },
        });
        const { errors, ...more } = (await answer.json()) as {
          errors: { message: string; extensions: { code: string; retryAfterMs: number } }[];
        };
        assert.deepEqual(
          [answer.status, errors.length, errors[0]?.extensions.code, errors[0]?.message, more],
          [429, 1, "QUOTA_EXCEEDED", EXCEEDED, {}],
        );
        assert.match(
          answer.headers.get("content-type") ?? "",
          new RegExp(`^${accept.replaceAll("+", "\\+")}`),
        );
        assertRetryAfter(answer, errors[0]?.extensions.retryAfterMs);
      }
      const stream = await fetch(`${service.url}/graphql/stream`, {
        method: "POST",
        body: BODY,
        headers: { ...JSON_TYPE, authorization, accept: "text/event-stream" },
      });
      assert.deepEqual(
        [
          stream.status,
          ((await stream.json()) as { errors: { extensions: { code: string } }[] }).errors[0]
            ?.extensions.code,
        ],
        [429, "QUOTA_EXCEEDED"],
      );
      assertRetryAfter(stream, 1);
      const upload = await fetch(`${service.url}/photos`, {
        method: "POST",
        body: "x",
        headers: { "content-type": "image/png", authorization },
      });
      assert.deepEqual(
        [upload.status, ((await upload.json()) as { code: string }).code],
        [429, "QUOTA_EXCEEDED"],
      );
      assertRetryAfter(upload, 1);
      const socket = openRawSocket(service.url);
      socket.send({ type: "connection_init", payload: { authorization } });
      assert.deepEqual(await socket.closed(), { code: 1013, reason: "Try again later" });
      assert.equal((await (await service.person()).ask("{ me { id } }")).status, 200);
    }),
  );

  it(
    "over a socket gets an error of the operation, and the socket stays open",
    inOneMinute(async () => {
      const { token } = await service.person();
      const socket = openRawSocket(service.url);
      await socket.init(token);
      await exhaust(token);
      for (const id of ["1", "2"]) {
        socket.send({ type: "subscribe", id, payload: { query: "{ me { id } }" } });
        const { type, payload } = await socket.next("the answer", (message) => message.id === id);
        assert.ok(Array.isArray(payload));
        assert.deepEqual(
          [type, payload[0]?.extensions.code, payload[0]?.message],
          ["error", "QUOTA_EXCEEDED", EXCEEDED],
        );
      }
      socket.close();
    }),
  );

  it(
    "without a token is refused by address, on every route except probes",
    inOneMinute(async () => {
      const headers = newAddress();
      const refused = await refusals(
        () => fetch(`${service.url}/files/photos/1/a`, { headers }),
        LIMIT + 5,
      );
      assert.equal(refused.length, 5);
      const answer = await fetch(service.url, { headers });
      const { code, retryAfterMs } = (await answer.json()) as {
        code: string;
        retryAfterMs: number;
      };
      assert.deepEqual([answer.status, code], [429, "QUOTA_EXCEEDED"]);
      assertRetryAfter(answer, retryAfterMs);
      const graphql = await fetch(`${service.url}/graphql`, {
        method: "POST",
        body: BODY,
        headers: { ...JSON_TYPE, ...headers },
      });
      assert.deepEqual(
        [
          graphql.status,
          ((await graphql.json()) as { errors: { extensions: { code: string } }[] }).errors[0]
            ?.extensions.code,
        ],
        [429, "QUOTA_EXCEEDED"],
      );
      assert.equal(
        (
          await fetch(`${service.url}/files/photos/1/a`, {
            headers: { ...headers, authorization: "Bearer x" },
          })
        ).status,
        429,
        "a token on a route that ignores it",
      );
      assert.equal((await fetch(`${service.url}/health/live`, { headers })).status, 200);
      assert.equal(
        (await fetch(`${service.url}/files/photos/1/a`, { headers: newAddress() })).status,
        403,
      );
    }),
  );

  it(
    "with invalid tokens gets 429 instead of 401, and does not affect valid tokens",
    inOneMinute(async () => {
      const headers = newAddress();
      const ask = (authorization: string) =>
        fetch(`${service.url}/graphql`, {
          method: "POST",
          body: BODY,
          headers: { ...JSON_TYPE, ...headers, authorization },
        });
      const answers: number[] = [];
      for (let i = 0; i < 4; i++)
        answers.push(
          (await ask(`Bearer ${await service.token({ iss: "https://elsewhere.test" })}`)).status,
        );
      assert.deepEqual(answers, [401, 401, 429, 429]);
      const upload = await fetch(`${service.url}/photos`, {
        method: "POST",
        body: "x",
        headers: { ...headers, authorization: "Bearer x" },
      });
      assert.equal(upload.status, 429);
      assert.equal((await ask(`Bearer ${await service.token()}`)).status, 200);
    }),
  );

  it(
    "over a socket with invalid tokens is closed with 1013",
    inOneMinute(async () => {
      const headers = newAddress();
      const closes: number[] = [];
      for (let i = 0; i < 4; i++) {
        const socket = openRawSocket(service.url, { headers });
        socket.send({ type: "connection_init", payload: { authorization: "Bearer x" } });
        closes.push((await socket.closed()).code);
      }
      assert.deepEqual(closes, [4403, 4403, 1013, 1013]);
    }),
  );

  it(
    "over a socket without a token is closed with 1013, by address",
    inOneMinute(async () => {
      const headers = newAddress();
      const close = async (upgradeHeaders: Record<string, string>) => {
        const socket = openRawSocket(service.url, { headers: upgradeHeaders });
        socket.send({ type: "connection_init" });
        return (await socket.closed()).code;
      };
      const closes = await Promise.all(Array.from({ length: LIMIT + 5 }, () => close(headers)));
      assert.deepEqual(
        [
          closes.filter((code) => code === 4403).length,
          closes.filter((code) => code === 1013).length,
        ],
        [LIMIT, 5],
      );
      assert.equal(await close(newAddress()), 4403);
    }),
  );

  it(
    "is refused also by the other processes and after a restart",
    inOneMinute(async () => {
      const { token } = await service.person();
      await exhaust(token);
      const ask = (url: string) =>
        fetch(`${url}/graphql`, {
          method: "POST",
          body: BODY,
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
        });
      const other = await service.addApi();
      await eventually(
        "the other process refuses",
        async () => (await ask(other.url)).status === 429,
      );
      await other.close();
      const restarted = await service.addApi();
      await eventually(
        "it refuses after a restart",
        async () => (await ask(restarted.url)).status === 429,
      );
    }),
  );
});

describe("a forged address", () => {
  it(
    "is ignored when no proxy is trusted",
    inOneMinute(async () => {
      const service = await startTestService({ workers: 0, env: { RATE_LIMIT_PER_MINUTE: "5" } });
      const statuses: number[] = [];
      for (let i = 0; i < 7; i++)
        statuses.push(
          (
            await fetch(`${service.url}/nowhere`, {
              headers: {
                "x-forwarded-for": `10.2.0.${i}`,
                "x-real-ip": `10.2.0.${i}`,
                forwarded: `for=10.2.0.${i}`,
              },
            })
          ).status,
        );
      await service.close();
      assert.deepEqual(statuses, [404, 404, 404, 404, 404, 429, 429]);
    }),
  );
});
