import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerJson, answerKeys, jwk, startKeyServer, type KeyServer } from "./key-server.js";
import { makeToken, rsaKey } from "./make-token.js";
import {
  SECOND,
  HOUR,
  first,
  second,
  scene,
  useScene,
  token,
  open,
  runTimer,
  openWarm,
  live,
} from "./jwks/jwks-scene.js";

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

describe("the keys of a key server", () => {
  useScene();

  test("verify with the key that the token names, after one request", async () => {
    scene.server.answer = answerKeys({ first, second });
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
    assert.equal(scene.server.requests, 1);
    assert.deepEqual(verifier.readiness(), { ready: true, reason: null });
  });

  test("include a rotated key without a restart, after the cool-down", async () => {
    const verifier = open();
    await verifier.verify(token(first, "first"));
    scene.server.answer = answerKeys({ first, second });
    await assert.rejects(verifier.verify(token(second, "second")), UNKNOWN);
    scene.now += 30 * SECOND;
    const results = await Promise.all(
      Array.from({ length: 20 }, () => verifier.verify(token(second, "second"))),
    );
    assert.equal(results[0]?.subject, "u1");
    assert.equal(scene.server.requests, 2);
  });

  test("are requested once per cool-down for 50 unknown keys", async () => {
    const verifier = open();
    const flood = async () => {
      for (let i = 0; i < 50; i++)
        await assert.rejects(verifier.verify(token(second, `unknown-${i}`)), UNKNOWN);
    };
    await flood();
    assert.equal(scene.server.requests, 1);
    scene.now += 30 * SECOND;
    await flood();
    assert.equal(scene.server.requests, 2);
  });

  test("are not requested for tokens that no key of a key server can verify", async () => {
    const verifier = open();
    await verifier.verify(token(first, "first"));
    scene.now += HOUR;
    for (const alg of ["none", "HS256", "PS256"])
      await assert.rejects(verifier.verify(makeToken(first, {}, { alg, kid: "x" })), {
        code: "UNAUTHENTICATED",
      });
    assert.equal(scene.server.requests, 1);
  });

  test("do not verify a token without a key id if two keys match", async () => {
    scene.server.answer = answerJson({
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

  test("do not verify a token that names one key and is signed with another", async () => {
    scene.server.answer = answerKeys({ first, other: rsaKey() });
    await assert.rejects(open().verify(token(first, "other")), {
      code: "UNAUTHENTICATED",
      message: "The token's signature is invalid.",
    });
  });

  test("do not make the claim admin valid", async () => {
    assert.equal((await open().verify(token(first, "first", { admin: true }))).admin, false);
  });

  test("keep verified tokens in the cache while they stay the same", async () => {
    const verifier = await openWarm();
    const claims = await verifier.verify(token(first, "first"));
    assert.equal(await verifier.verify(token(first, "first")), claims);
    await runTimer();
    assert.equal(scene.server.requests, 2);
    assert.equal(await verifier.verify(token(first, "first")), claims);
  });

  test("remove verified tokens from the cache when their key is withdrawn", async () => {
    const verifier = await openWarm();
    await verifier.verify(token(first, "first"));
    scene.server.answer = answerKeys({ second });
    scene.now += 30 * SECOND;
    await runTimer();
    await assert.rejects(verifier.verify(token(first, "first")), UNKNOWN);
  });

  test("cause SERVICE_UNAVAILABLE, and few requests, while none could be fetched", async () => {
    scene.server.answer = answerJson({}, 500);
    const verifier = open();
    assert.deepEqual(verifier.readiness(), {
      ready: false,
      reason: "The keys are not loaded yet.",
    });
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => verifier.verify(token(first, "first"))),
    );
    for (const result of results)
      assert.equal(result.status === "rejected" && result.reason.code, "SERVICE_UNAVAILABLE");
    await assert.rejects(verifier.verify(token(first, "first")), AWAY);
    assert.equal(scene.server.requests, 1);
    assert.deepEqual(verifier.readiness(), {
      ready: false,
      reason: "The key server returned no keys.",
    });
    scene.server.answer = answerKeys({ first });
    await assert.rejects(verifier.verify(token(first, "first")), AWAY);
    scene.now += 1 * SECOND;
    assert.equal((await verifier.verify(token(first, "first"))).subject, "u1");
    assert.equal(scene.server.requests, 2);
  });

  test("cause SERVICE_UNAVAILABLE when no server listens", async () => {
    const { url } = scene.server;
    await scene.server.close();
    await assert.rejects(open({ jwksUrl: url }).verify(token(first, "first")), AWAY);
    scene.server = await startKeyServer(answerKeys({ first }));
  });

  test("stay valid for 24 hours while the server is down", async () => {
    const verifier = await openWarm();
    await verifier.verify(token(first, "first"));
    scene.server.answer = answerJson({}, 503);
    scene.now += 24 * HOUR - 1;
    await runTimer();
    assert.equal((await verifier.verify(token(first, "first", { sub: "u2" }))).subject, "u2");
    assert.deepEqual(verifier.readiness(), {
      ready: true,
      reason: "The key server does not answer; its last keys are in use.",
    });
    await assert.rejects(verifier.verify(token(second, "second")), AWAY);
    scene.now += 1;
    assert.equal(verifier.readiness().ready, false);
    await assert.rejects(verifier.verify(token(first, "first", { sub: "u2" })), AWAY);
  });

  test("stay in use after an empty set, a redirect or a huge document", async () => {
    const verifier = await openWarm();
    const answers = [answerJson({ keys: [] }), answerJson({ keys: [], x: "x".repeat(300_000) })];
    for (const answer of [...answers, answerJson({}, 302)]) {
      scene.server.answer = answer;
      await runTimer();
      assert.equal((await verifier.verify(token(first, "first"))).subject, "u1");
      assert.equal(
        verifier.readiness().reason,
        "The key server does not answer; its last keys are in use.",
      );
    }
  });

  test("are awaited no longer than the timeout, in the headers and the body", async () => {
    const hanging: KeyServer["answer"][] = [
      () => {},
      (_, response) => void response.write('{"keys":['),
    ];
    for (const answer of hanging) {
      scene.server.answer = answer;
      const verifier = open({ jwksUrl: scene.server.url, timeoutMs: 40 });
      const startedAt = performance.now();
      await assert.rejects(verifier.verify(token(first, "first")), AWAY);
      assert.ok(performance.now() - startedAt < 1500);
    }
  });

  test("verify tokens at once while the server hangs", async () => {
    const verifier = await openWarm();
    const requested = new Promise<void>((resolve) => (scene.server.answer = () => resolve()));
    scene.now += HOUR;
    live().callback();
    await requested;
    assert.equal((await verifier.verify(token(first, "first", { sub: "u3" }))).subject, "u3");
  });
});
