import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { createAdminGuard } from "../../../src/server/access/admin-guard.js";

const PASSWORD = "a password of 12: or more ü";
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

describe("the guard of the admin pages", () => {
  let written = "";
  let now = 1_700_000_000_000;
  let app: FastifyInstance;
  const ask = (
    headers: Record<string, string> = {},
    remoteAddress = "192.0.2.1",
    url = "/admin/x",
  ) => app.inject({ url, headers, remoteAddress });

  async function build(password: string | null): Promise<FastifyInstance> {
    const built = Fastify({
      loggerInstance: createLoggerTo(
        { write: (line) => void (written += line) },
        "trace",
      ) as FastifyBaseLogger,
    });
    built.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: "NOT_FOUND" }));
    const guard = createAdminGuard(password, { now: () => now });
    for (const path of ["/admin/x", "/metrics"]) {
      await built.register(async (scope) => {
        await guard.protect(scope);
        scope.get(path, async () => "in");
      });
    }
    built.get("/open", async () => "open");
    return built;
  }

  before(async () => {
    app = await build(PASSWORD);
  });
  after(() => app.close());

  it("protects its routes with the right user and password, and no others", async () => {
    for (const url of ["/admin/x", "/metrics"])
      assert.deepEqual([(await ask(basic("admin", PASSWORD), "192.0.2.2", url)).body], ["in"]);
    assert.equal((await ask({}, "192.0.2.2", "/open")).body, "open");
  });

  it("requests a missing or malformed password, which does not count as a guess", async () => {
    const none: Record<string, string>[] = [
      {},
      { authorization: "Bearer x" },
      { authorization: "Basic" },
      { authorization: "Basic bm9jb2xvbg==" },
      { authorization: `Basic ${Buffer.from("admin:\0").toString("base64")}` },
    ];
    for (let i = 0; i < 4; i++) {
      for (const headers of none) {
        const answer = await ask(headers, "192.0.2.3");
        assert.equal(answer.statusCode, 401);
        assert.equal(
          answer.headers["www-authenticate"],
          'Basic realm="Photo Service", charset="UTF-8"',
        );
        assert.deepEqual(answer.json(), {
          code: "UNAUTHENTICATED",
          message: 'Admin sign-in required: user "admin" with the password from ADMIN_PASSWORD.',
        });
      }
    }
    assert.equal((await ask(basic("admin", PASSWORD), "192.0.2.3")).statusCode, 200);
  });

  it("answers every wrong user or password with the same response", async () => {
    const wrong = [
      ["admin", ""],
      ["admin", PASSWORD.slice(0, -1)],
      ["admin", `${PASSWORD} `],
      ["", PASSWORD],
      ["Admin", PASSWORD],
      ["admin:a", PASSWORD],
      ["admin", PASSWORD.toUpperCase()],
    ] as const;
    const answers = await Promise.all(
      wrong.map(([user, password], i) => ask(basic(user, password), `198.51.100.${i}`)),
    );
    assert.deepEqual(
      new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size,
      1,
    );
    assert.equal(answers[0]?.statusCode, 401);
  });

  it("answers an address with 429 after ten wrong guesses in a minute, even if right", async () => {
    for (let i = 0; i < 10; i++) {
      assert.equal(
        (await ask(basic("admin", `guess ${i}`), "192.0.2.9", i % 2 ? "/metrics" : "/admin/x"))
          .statusCode,
        401,
      );
      // The minute begins with the first guess.
      if (i === 4) now += 50_000;
    }
    const refused = await ask(basic("admin", PASSWORD), "192.0.2.9");
    assert.deepEqual(
      [refused.statusCode, refused.json()],
      [
        429,
        {
          code: "QUOTA_EXCEEDED",
          message:
            "Too many wrong passwords from your address: at most 10 per minute; try again in a " +
            "minute.",
        },
      ],
    );
    const wait = Number(refused.headers["retry-after"]);
    assert.ok(wait > 0 && wait <= 60, `retry-after ${wait}`);
    assert.equal((await ask(basic("admin", PASSWORD), "192.0.2.9", "/metrics")).statusCode, 429);
    assert.equal((await ask(basic("admin", PASSWORD), "192.0.2.10")).statusCode, 200);
    now += 11_000;
    assert.equal((await ask(basic("admin", PASSWORD), "192.0.2.9")).statusCode, 200);
  });

  it("counts the addresses of one IPv6 network as one", async () => {
    for (let i = 0; i < 10; i++)
      assert.equal((await ask(basic("admin", "guess"), `2001:db8::${i + 1}`)).statusCode, 401);
    assert.equal((await ask(basic("admin", PASSWORD), "2001:db8:0:0:1:2:3:4")).statusCode, 429);
    assert.equal((await ask(basic("admin", PASSWORD), "2001:db8:0:1::1")).statusCode, 200);
    assert.equal((await ask(basic("admin", PASSWORD), "::ffff:192.0.2.77")).statusCode, 200);
  });

  it("answers every request with 404 when no password is set", async () => {
    const closed = await build(null);
    for (const headers of [
      {},
      basic("admin", ""),
      basic("admin", "null"),
      basic("admin", PASSWORD),
    ]) {
      const answer = await closed.inject({ url: "/admin/x", headers });
      assert.deepEqual(
        [answer.statusCode, answer.json(), answer.headers["www-authenticate"]],
        [404, { code: "NOT_FOUND" }, undefined],
      );
    }
    await closed.close();
  });

  it("writes no password to the log", () => {
    assert.ok(written.includes("incoming request"), "nothing was logged");
    for (const secret of [
      "guess",
      PASSWORD,
      basic("admin", PASSWORD).authorization.slice(6),
      "authorization",
    ])
      assert.ok(!written.includes(secret), secret);
  });
});
