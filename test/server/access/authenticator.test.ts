// Authentication is the same for HTTP, uploads and sockets.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { openRawSocket } from "../../support/clients/raw-socket.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const NO_TOKEN = 'Sign in: no token was sent; "Authorization: Bearer <token>" is expected.';
const ONE_TOKEN = 'Sign in: exactly one "Authorization: Bearer <token>" is expected.';

describe("the authentication", () => {
  let service: TestService;
  let tokens: { good: string; forged: string; expired: string; foreign: string };
  before(async () => {
    service = await startTestService({ workers: 0, env: { MAX_OPENING_SOCKETS: "500" } });
    const good = await service.token();
    const [head, , signature] = good.split(".");
    const forged = [
      head,
      Buffer.from(
        JSON.stringify({
          ...JSON.parse(Buffer.from(good.split(".")[1] ?? "", "base64url").toString()),
          sub: "admin",
        }),
      ).toString("base64url"),
      signature,
    ].join(".");
    tokens = {
      good,
      forged,
      expired: await service.token({}, { expiresIn: -60 }),
      foreign: await service.token({ aud: "another-service" }),
    };
  });
  after(() => service.close());

  const REFUSED: [string, () => string | string[] | undefined, string][] = [
    ["no token", () => undefined, NO_TOKEN],
    ["a malformed token", () => "Bearer nonsense", "The token is not a valid signed JWT."],
    ["another scheme", () => "Basic dXNlcjpwYXNz", ONE_TOKEN],
    ["a token without its scheme", () => tokens.good, ONE_TOKEN],
    ["two tokens in one header", () => `Bearer ${tokens.good}, Bearer ${tokens.good}`, ONE_TOKEN],
    ["a forged token", () => `Bearer ${tokens.forged}`, "The token's signature is invalid."],
    [
      "a token for another audience",
      () => `Bearer ${tokens.foreign}`,
      "The token is for another audience.",
    ],
    ["an expired token", () => `Bearer ${tokens.expired}`, "The token has expired."],
  ];
  const headersOf = (authorization: string | string[] | undefined): Record<string, string> =>
    typeof authorization === "string" ? { authorization } : {};

  for (const [what, authorization, message] of REFUSED) {
    it(`of /graphql answers ${what} with 401, as GraphQL in the accepted media type`, async () => {
      for (const [accept, type] of [
        ["application/graphql-response+json", "application/graphql-response+json; charset=utf-8"],
        ["application/json", "application/json; charset=utf-8"],
        ["*/*", "application/json; charset=utf-8"],
      ] as const) {
        for (const method of ["POST", "GET"]) {
          const response = await fetch(
            `${service.url}/graphql${method === "GET" ? "?query={me{id}}" : ""}`,
            {
              method,
              headers: {
                accept,
                "content-type": "application/json",
                ...headersOf(authorization()),
              },
              ...(method === "POST" && { body: '{"query":"{ me { id } }"}' }),
            },
          );
          assert.equal(response.status, 401);
          assert.equal(response.headers.get("content-type"), type);
          assert.deepEqual(await response.json(), {
            errors: [{ message, extensions: { code: "UNAUTHENTICATED" } }],
          });
        }
      }
    });

    it(`of /photos answers ${what} with 401 in JSON, without reading the file`, async () => {
      const response = await fetch(`${service.url}/photos`, {
        method: "POST",
        headers: { "content-type": "image/png", ...headersOf(authorization()) },
        body: smallPhoto(),
      });
      assert.equal(response.status, 401);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
      assert.deepEqual(await response.json(), { code: "UNAUTHENTICATED", message });
    });

    it(`of sockets closes one with ${what} with 4403`, async () => {
      const socket = openRawSocket(service.url);
      socket.send({
        type: "connection_init",
        payload: authorization() === undefined ? {} : { authorization: authorization() },
      });
      assert.deepEqual(await socket.closed(), { code: 4403, reason: "Forbidden" });
      assert.deepEqual(socket.messages, []);
    });
  }

  const PAYLOADS: [string, () => unknown][] = [
    ["no payload", () => undefined],
    ["a token that is not a string", () => ({ authorization: [`Bearer ${tokens.good}`] })],
    [
      "two tokens under two spellings",
      () => ({ authorization: `Bearer ${tokens.good}`, Authorization: `Bearer ${tokens.good}` }),
    ],
  ];
  for (const [what, payload] of PAYLOADS) {
    it(`of sockets closes one with ${what} with 4403`, async () => {
      const socket = openRawSocket(service.url);
      socket.send({ type: "connection_init", payload: payload() });
      assert.deepEqual(await socket.closed(), { code: 4403, reason: "Forbidden" });
    });
  }

  it("of sockets accepts a payload key in any case, but no header of the upgrade", async () => {
    for (const key of ["authorization", "Authorization", "AUTHORIZATION"]) {
      const socket = openRawSocket(service.url);
      socket.send({ type: "connection_init", payload: { [key]: `bearer ${tokens.good}` } });
      await socket.next("the acknowledgement", ({ type }) => type === "connection_ack");
      socket.close();
    }
    const socket = openRawSocket(service.url, {
      headers: { authorization: `Bearer ${tokens.good}` },
    });
    socket.send({ type: "connection_init" });
    assert.equal((await socket.closed()).code, 4403);
  });

  it("refuses two authorization headers, at /graphql and at /photos", async () => {
    for (const [path, type, body] of [
      ["/graphql", "application/json", '{"query":"{ me { id } }"}'],
      ["/photos", "image/png", smallPhoto()],
    ] as const) {
      for (const [count, status] of [
        [1, path === "/photos" ? 201 : 200],
        [2, 401],
      ] as const) {
        // fetch would merge the two headers into one.
        const authorization = Array.from({ length: count }, () => `Bearer ${tokens.good}`);
        const got = await new Promise((resolve, reject) =>
          request(
            service.url + path,
            {
              method: "POST",
              headers: { authorization: authorization as unknown as string, "content-type": type },
            },
            (response) => resolve((response.resume(), response.statusCode)),
          )
            .on("error", reject)
            .end(body),
        );
        assert.equal(got, status, `${path} with ${count}`);
      }
    }
  });

  it("creates no user for a rejected token", async () => {
    const subjects = (
      await service.database.sql<{ subject: string }[]>`select subject from users`
    ).map(({ subject }) => subject);
    assert.ok(!subjects.includes("admin"), subjects.join());
  });

  it("creates one user for ten concurrent first requests", async () => {
    const person = await service.person();
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => (await person.get("{ me { id } }")).me.id),
    );
    assert.equal(new Set(ids).size, 1);
  });
});
