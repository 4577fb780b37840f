import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { afterEach, beforeEach, test } from "node:test";
import { createJwks, type Jwks } from "../../src/auth/jwks.js";
import { createTokenVerifier, type TokenVerifier } from "../../src/auth/token-verifier.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { answerJson, answerKeys, jwk, startKeyServer, type KeyServer } from "./key-server.js";
import { ecKey, edKey, makeToken, rsaKey, type TestKey } from "./make-token.js";

const SECOND = 1000;
const HOUR = 3_600_000;
const AWAY = {
  name: "ServiceUnavailableError",
  code: "SERVICE_UNAVAILABLE",
  message: "The key server cannot be reached: try again in a moment.",
};
const UNKNOWN = {
  name: "UnauthenticatedError",
  code: "UNAUTHENTICATED",
  message: "The token is signed with an unknown key.",
};

const first = rsaKey();
const second = ecKey();
const timers: { callback: () => void; ms: number; cancelled: boolean }[] = [];
const opened: { close(): void }[] = [];
let now: number;
let server: KeyServer;

beforeEach(async () => {
  now = 1_700_000_000_000;
  timers.length = 0;
  server = await startKeyServer(answerKeys({ first }));
});

afterEach(async () => {
  for (const one of opened.splice(0)) one.close();
  await server.close();
});

test("verifies with the key that the token names, after one request", async () => {
  server.answer = answerKeys({ first, second });
  const verifier = open();
  const tokens = [
    token(first, "first"),
    token(second, "second"),
    token(first, "first", { sub: "u2" }),
  ];
  const subjects = await Promise.all(
    tokens.map(async (one) => (await verifier.verify(one)).subject),
  );
  assert.deepEqual(subjects, ["u1", "u1", "u2"]);
  assert.equal(server.requests, 1);
  assert.deepEqual(verifier.readiness(), { ready: true, reason: null });
});

test("finds a rotated key without a restart, once the cool-down is over", async () => {
  const verifier = open();
  await verifier.verify(token(first, "first"));
  server.answer = answerKeys({ first, second });
  await assert.rejects(verifier.verify(token(second, "second")), UNKNOWN);
  now += 30 * SECOND;
  const results = await Promise.all(
    Array.from({ length: 20 }, () => verifier.verify(token(second, "second"))),
  );
  assert.equal(results[0]?.subject, "u1");
  assert.equal(server.requests, 2);
});

test("asks once for 50 unknown keys in the cool-down, and once more after it", async () => {
  const verifier = open();
  const flood = async () => {
    for (let i = 0; i < 50; i++)
      await assert.rejects(verifier.verify(token(second, `unknown-${i}`)), UNKNOWN);
  };
  await flood();
  assert.equal(server.requests, 1);
  now += 30 * SECOND;
  await flood();
  assert.equal(server.requests, 2);
});

test("asks nothing for tokens that no key server's key could verify", async () => {
  const verifier = open();
  await verifier.verify(token(first, "first"));
  now += HOUR;
  for (const alg of ["none", "HS256", "PS256"])
    await assert.rejects(verifier.verify(makeToken(first, {}, { alg, kid: "x" })), {
      code: "UNAUTHENTICATED",
    });
  assert.equal(server.requests, 1);
});

test("refuses a token without a key id when two keys could be meant", async () => {
  server.answer = answerJson({
    keys: [
      jwk(first, { kid: "first" }),
      jwk(rsaKey(), { kid: "other" }),
      jwk(second, { kid: "second" }),
    ],
  });
  const verifier = open();
  assert.equal((await verifier.verify(token(second))).subject, "u1");
  await assert.rejects(verifier.verify(token(first)), {
    code: "UNAUTHENTICATED",
    message: "The token does not say which key it is signed with.",
  });
});

test("refuses a token that names one key and is signed with another", async () => {
  server.answer = answerKeys({ first, other: rsaKey() });
  await assert.rejects(open().verify(token(first, "other")), {
    code: "UNAUTHENTICATED",
    message: "The token's signature does not hold.",
  });
});

test("does not believe a claim of admin that a key server's key has signed", async () => {
  assert.equal((await open().verify(token(first, "first", { admin: true }))).admin, false);
});

test("remembers verified tokens while the keys stay the same", async () => {
  const verifier = await openWarm();
  const claims = await verifier.verify(token(first, "first"));
  assert.equal(await verifier.verify(token(first, "first")), claims);
  await ring();
  assert.equal(server.requests, 2);
  assert.equal(await verifier.verify(token(first, "first")), claims);
});

test("forgets verified tokens of a key that was withdrawn", async () => {
  const verifier = await openWarm();
  await verifier.verify(token(first, "first"));
  server.answer = answerKeys({ second });
  now += 30 * SECOND;
  await ring();
  await assert.rejects(verifier.verify(token(first, "first")), UNKNOWN);
});

test(
  "answers SERVICE_UNAVAILABLE when it has no keys and the server is away, and asks no " +
    "more than the back-off allows",
  async () => {
    server.answer = answerJson({}, 500);
    const verifier = open();
    assert.deepEqual(verifier.readiness(), { ready: false, reason: "The keys are not here yet." });
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => verifier.verify(token(first, "first"))),
    );
    for (const result of results)
      assert.equal(result.status === "rejected" && result.reason.code, "SERVICE_UNAVAILABLE");
    await assert.rejects(verifier.verify(token(first, "first")), AWAY);
    assert.equal(server.requests, 1);
    assert.deepEqual(verifier.readiness(), {
      ready: false,
      reason: "The key server gave no keys.",
    });
    server.answer = answerKeys({ first });
    await assert.rejects(verifier.verify(token(first, "first")), AWAY);
    now += 1 * SECOND;
    assert.equal((await verifier.verify(token(first, "first"))).subject, "u1");
    assert.equal(server.requests, 2);
  },
);

test("answers SERVICE_UNAVAILABLE when nothing listens", async () => {
  const { url } = server;
  await server.close();
  await assert.rejects(open({ jwksUrl: url }).verify(token(first, "first")), AWAY);
  server = await startKeyServer(answerKeys({ first }));
});

test("goes on with the last good keys for 24 hours while the server is down", async () => {
  const verifier = await openWarm();
  await verifier.verify(token(first, "first"));
  server.answer = answerJson({}, 503);
  now += 24 * HOUR - 1;
  await ring();
  assert.equal((await verifier.verify(token(first, "first", { sub: "u2" }))).subject, "u2");
  assert.deepEqual(verifier.readiness(), {
    ready: true,
    reason: "The key server does not answer; its last keys are used.",
  });
  await assert.rejects(verifier.verify(token(second, "second")), AWAY);
  now += 1;
  assert.equal(verifier.readiness().ready, false);
  await assert.rejects(verifier.verify(token(first, "first", { sub: "u2" })), AWAY);
});

test(
  "keeps the last good keys when the server hands out an empty set, a redirect or a huge " +
    "document",
  async () => {
    const verifier = await openWarm();
    const answers = [answerJson({ keys: [] }), answerJson({ keys: [], x: "x".repeat(300_000) })];
    for (const answer of [...answers, answerJson({}, 302)]) {
      server.answer = answer;
      await ring();
      assert.equal((await verifier.verify(token(first, "first"))).subject, "u1");
      assert.equal(
        verifier.readiness().reason,
        "The key server does not answer; its last keys are used.",
      );
    }
  },
);

test(
  "waits for a hanging server no longer than the timeout, before the headers and within " +
    "the body",
  async () => {
    const hanging: KeyServer["answer"][] = [
      () => {},
      (_, response) => void response.write('{"keys":['),
    ];
    for (const answer of hanging) {
      server.answer = answer;
      const verifier = open({ jwksUrl: server.url, timeoutMs: 40 });
      const begun = performance.now();
      await assert.rejects(verifier.verify(token(first, "first")), AWAY);
      assert.ok(performance.now() - begun < 1500);
    }
  },
);

test("does not let tokens of known keys wait while the server hangs", async () => {
  const verifier = await openWarm();
  const asked = new Promise<void>((resolve) => (server.answer = () => resolve()));
  now += HOUR;
  live().callback();
  await asked;
  assert.equal((await verifier.verify(token(first, "first", { sub: "u3" }))).subject, "u3");
});

test("asks every 10 minutes, and after failures in 1, 2, 4 … 60 seconds", async () => {
  const jwks = openJwks();
  await jwks.refresh();
  assert.equal(live().ms, 600_000);
  server.answer = answerJson({}, 500);
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    const requests = server.requests;
    live().callback();
    await jwks.refresh();
    assert.equal(server.requests, requests + 1);
    delays.push(live().ms);
  }
  assert.deepEqual(
    delays,
    [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * SECOND),
  );
  server.answer = answerKeys({ second });
  await jwks.refresh();
  assert.equal(live().ms, 600_000);
  assert.equal((await jwks.choose({ alg: "ES256", kid: "second" })).keys.length, 1);
});

test("asks once however many want to refresh at the same time", async () => {
  const jwks = openJwks();
  await Promise.all(Array.from({ length: 20 }, () => jwks.refresh()));
  assert.equal(server.requests, 1);
});

test("changes its generation only when the keys change, not with their order", async () => {
  const other = edKey();
  server.answer = answerKeys({ first, other });
  const jwks = openJwks();
  assert.equal(jwks.generation(), 0);
  await jwks.refresh();
  assert.equal(jwks.generation(), 1);
  server.answer = answerKeys({ other, first });
  await jwks.refresh();
  assert.equal(jwks.generation(), 1);
  server.answer = answerKeys({ first });
  await jwks.refresh();
  assert.equal(jwks.generation(), 2);
  now += 24 * HOUR;
  assert.equal(jwks.generation(), 0);
});

test("leaves no timer and no request behind when it is closed", async () => {
  const idle = openJwks();
  await idle.refresh();
  idle.close();
  assert.deepEqual(
    timers.map((timer) => timer.cancelled),
    [true],
  );
  const busy = openJwks();
  await busy.refresh();
  server.answer = () => {};
  const hanging = busy.refresh();
  busy.close();
  await hanging;
  assert.ok(timers.every((timer) => timer.cancelled));
  const { requests } = server;
  await busy.refresh();
  assert.equal(server.requests, requests);
});

test("never has more than one timer", async () => {
  const jwks = openJwks();
  for (let i = 0; i < 3; i++) await jwks.refresh();
  assert.deepEqual(
    timers.map((timer) => timer.cancelled),
    [true, true, false],
  );
});

test("logs why the server gave no keys", async () => {
  const lines: string[] = [];
  const logger = createLoggerTo(
    new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) }),
  );
  server.answer = answerJson({}, 500);
  const jwks = createJwks({ url: new URL(server.url), clock: () => now, schedule, logger });
  opened.push(jwks);
  await jwks.refresh();
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /"level":40.*The key server answered 500 instead of 200\..*"failures":1/);
});

function token(key: TestKey, kid?: string, claims: Record<string, unknown> = {}): string {
  const payload = {
    iss: "https://id.example.com",
    aud: "photos",
    sub: "u1",
    email: "ada@example.com",
    exp: 4_000_000_000,
    ...claims,
  };
  return makeToken(key, payload, kid === undefined ? {} : { kid });
}

function open(
  keys: { jwksUrl: string; timeoutMs?: number } = { jwksUrl: server.url },
): TokenVerifier {
  const verifier = createTokenVerifier({
    keys: { ...keys, schedule },
    issuers: ["https://id.example.com"],
    audiences: ["photos"],
    clock: () => now,
  });
  opened.push(verifier);
  return verifier;
}

/** Lets the timer ring, and waits until the next is set: then the server has been asked. */
async function ring(): Promise<void> {
  const scheduled = timers.length;
  live().callback();
  while (timers.length === scheduled) await new Promise(setImmediate);
}

/** A verifier that has its keys. */
async function openWarm(): Promise<TokenVerifier> {
  const verifier = open();
  await verifier.verify(token(first, "first", { sub: "warm" }));
  return verifier;
}

function openJwks(): Jwks {
  const jwks = createJwks({ url: new URL(server.url), clock: () => now, schedule });
  opened.push(jwks);
  return jwks;
}

function schedule(callback: () => void, ms: number): () => void {
  const timer = { callback, ms, cancelled: false };
  timers.push(timer);
  return () => (timer.cancelled = true);
}

function live(): { callback: () => void; ms: number } {
  return timers.findLast((timer) => !timer.cancelled)!;
}
