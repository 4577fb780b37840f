// Forged tokens at each entry point, over the network. test/auth/token-verifier.test.ts covers the
// messages of refusals. test/auth/jwks.test.ts covers key servers: unknown kids, hanging servers,
// redirects, long responses, rotation.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeToken } from "../auth/make-token.js";
import { openRawSocket } from "../support/clients/raw-socket.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { createTestClient } from "../support/clients/test-client.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { FORGED_TOKENS } from "./forged-tokens.js";
import { head, sendRaw } from "./raw-request.js";

const WORDS = /^(The token|Sign in)/;

describe("a forged token", () => {
  let service: AttackedService;
  before(async () => {
    // The lower case of the Kelvin sign is "k", so the name tests the comparison of emails.
    service = await startAttackedService({
      ADMIN_EMAILS: "kate@example.test",
      MAX_SOCKETS_PER_USER: "3",
      JWT_ISSUER: "https://issuer.test,https://second.test",
    });
  });
  after(() => service.close());

  type Headers = [name: string, value: string][];
  async function assertRefusedAtGraphql(headers: Headers): Promise<void> {
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: [["content-type", "application/json"], ...headers],
      body: '{"query":"{ me { id } }"}',
    });
    const text = await response.text();
    const { data, errors } = JSON.parse(text) as {
      data?: unknown;
      errors: { message: string; extensions: object }[];
    };
    assert.deepEqual(
      [response.status, data, errors.length, errors[0]?.extensions],
      [401, undefined, 1, { code: "UNAUTHENTICATED" }],
    );
    assert.match(errors[0]?.message ?? "", WORDS);
    assert.doesNotMatch(text, LEAKS);
  }

  async function assertRefusedAtPhotos(headers: Headers): Promise<void> {
    const response = await fetch(`${service.url}/photos`, {
      method: "POST",
      headers: [["content-type", "image/png"], ...headers],
      body: smallPhoto(),
    });
    const body = (await response.json()) as { code: string; message: string };
    assert.deepEqual(
      [response.status, body.code, Object.keys(body)],
      [401, "UNAUTHENTICATED", ["code", "message"]],
    );
    assert.match(body.message, WORDS);
  }

  async function assertRefusedAtSocket(payload: unknown): Promise<void> {
    const socket = openRawSocket(service.url);
    socket.send({ type: "connection_init", payload });
    assert.deepEqual(
      [await socket.closed(), socket.messages],
      [{ code: 4403, reason: "Forbidden" }, []],
    );
  }

  for (const [what, forge] of FORGED_TOKENS) {
    it(`with ${what} is refused at /graphql`, () =>
      assertRefusedAtGraphql([["authorization", `Bearer ${forge(service)}`]]));
    it(`with ${what} is refused at /photos`, () =>
      assertRefusedAtPhotos([["authorization", `Bearer ${forge(service)}`]]));
    it(`with ${what} opens no socket`, () =>
      assertRefusedAtSocket({ authorization: `Bearer ${forge(service)}` }));
  }

  const token = () => makeToken(service.keys.rsa, service.good);
  const MISPLACED: [what: string, headers: () => Headers][] = [
    ["in no header", () => []],
    ["without its scheme", () => [["authorization", token()]]],
    [
      "under the scheme Basic",
      () => [["authorization", `Basic ${Buffer.from(`user:${token()}`).toString("base64")}`]],
    ],
    ["under the scheme Token", () => [["authorization", `Token ${token()}`]]],
    ["twice in one header", () => [["authorization", `Bearer ${token()}, Bearer ${token()}`]]],
    [
      "in two headers",
      () => [
        ["authorization", `Bearer ${token()}`],
        ["authorization", `Bearer ${token()}`],
      ],
    ],
    [
      "after a forged one",
      () => [
        ["authorization", "Bearer x.y.z"],
        ["authorization", `Bearer ${token()}`],
      ],
    ],
    ["in a cookie", () => [["cookie", `authorization=Bearer ${token()}; token=${token()}`]]],
    [
      "in other headers",
      () => [
        ["x-authorization", `Bearer ${token()}`],
        ["proxy-authorization", `Bearer ${token()}`],
        ["x-forwarded-user", "admin"],
      ],
    ],
  ];
  for (const [what, headers] of MISPLACED) {
    it(`that is valid but sent ${what} is refused at /graphql`, () =>
      assertRefusedAtGraphql(headers()));
    it(`that is valid but sent ${what} is refused at /photos`, () =>
      assertRefusedAtPhotos(headers()));
  }

  const PAYLOADS: [what: string, payload: () => unknown][] = [
    ["no payload", () => undefined],
    ["a token without its scheme", () => ({ authorization: token() })],
    ["a token in a list", () => ({ authorization: [`Bearer ${token()}`] })],
    [
      "two tokens under two spellings of the key",
      () => ({ authorization: `Bearer ${token()}`, AUTHORIZATION: `Bearer ${token()}` }),
    ],
    [
      "a token under another key",
      () => ({ token: token(), headers: { authorization: `Bearer ${token()}` } }),
    ],
    [
      "a token in __proto__",
      () => JSON.parse(`{"__proto__":{"authorization":"Bearer ${token()}"}}`) as unknown,
    ],
  ];
  for (const [what, payload] of PAYLOADS)
    it(`opens no socket: ${what}`, () => assertRefusedAtSocket(payload()));

  it("opens no socket when it is in the URL or the headers of the upgrade", async () => {
    for (const options of [
      { path: `/graphql?token=${token()}&authorization=Bearer%20${token()}` },
      {
        headers: { authorization: `Bearer ${token()}`, cookie: `authorization=Bearer ${token()}` },
      },
    ]) {
      const socket = openRawSocket(service.url, options);
      socket.send({ type: "connection_init" });
      assert.deepEqual(await socket.closed(), { code: 4403, reason: "Forbidden" });
    }
  });

  for (const [what, bytes] of [
    ["a NUL", "\0"],
    ["a line end", "\rx"],
    ["bytes over ASCII", "\xff"],
  ] as const) {
    it(`with ${what} in its header is refused by the HTTP server`, async () => {
      const body = '{"query":"{ me { id } }"}';
      const { status, text } = await sendRaw(
        service.url,
        Buffer.from(
          head("POST /graphql", [
            "content-type: application/json",
            `content-length: ${body.length}`,
            `authorization: Bearer ${token()}${bytes}`,
          ]) + body,
          "latin1",
        ),
      );
      assert.ok([400, 401].includes(status), `${status}`);
      assert.doesNotMatch(text, /victim/);
    });
  }

  const NO_ADMINS: [what: string, claims: Record<string, unknown>][] = [
    ["an unverified admin's email", { email: "kate@example.test", email_verified: false }],
    [
      "an admin's email without email_verified",
      { email: "kate@example.test", email_verified: undefined },
    ],
    [
      'an admin\'s email verified by the text "true"',
      { email: "kate@example.test", email_verified: "true" },
    ],
    [
      "an admin's email verified by the number 1",
      { email: "kate@example.test", email_verified: 1 },
    ],
    ["an email that equals an admin's only in lower case", { email: "\u212aate@example.test" }],
    ["an admin's email with a suffix", { email: "kate@example.test.evil.test" }],
    ["an admin's email with a space", { email: "kate@example.test " }],
    ["the development claim", { admin: true }],
    ["role claims", { role: "ADMIN", roles: ["admin"], groups: ["admin"] }],
  ];
  for (const [i, [what, claims]] of NO_ADMINS.entries()) {
    it(`does not make an admin by ${what}`, async () => {
      const person = createTestClient(
        service.url,
        makeToken(service.keys.ec, {
          ...service.good,
          sub: `would-be-${i}`,
          email: `would-be-${i}@example.test`,
          ...claims,
        }),
      );
      assert.equal((await person.get("{ me { role } }")).me.role, "USER");
      assert.equal((await person.ask("{ users { totalCount } }")).code, "FORBIDDEN");
    });
  }

  it("of another trusted issuer opens a separate account, even with the same subject", async () => {
    const stranger = createTestClient(
      service.url,
      makeToken(service.keys.ec, { ...service.good, iss: "https://second.test" }),
    );
    const [victimId, strangerId] = [
      (await service.victim.get("{ me { id } }")).me.id,
      (await stranger.get("{ me { id } }")).me.id,
    ];
    assert.notEqual(strangerId, victimId);
    assert.equal(
      (await stranger.get("query ($id: ID!) { user(id: $id) { id } }", { id: victimId })).user,
      null,
    );
    await stranger.get("mutation { deleteMe }");
  });

  it("has left no user, no photo and no token in the log, and harmed no service", async () => {
    await service.assertUnharmed();
    const subjects = (await service.database.sql<{ subject: string }[]>`select subject from users`)
      .map((row) => row.subject)
      .filter((subject) => !subject.startsWith("would-be"));
    assert.deepEqual(subjects, ["victim"]);
    assert.equal((await service.database.sql`select from photos`).length, 0);
    assert.equal(
      service.logged.some((line) => /eyJ[\w-]{20,}/.test(JSON.stringify(line))),
      false,
    );
  });
});
