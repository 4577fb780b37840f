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
  ring,
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

  test("verifies with the key that the token names, after one request", async () => {
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

  test("finds a rotated key without a restart, once the cool-down is over", async () => {
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

  test("asks once for 50 unknown keys in the cool-down, and once more after it", async () => {
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

  test("asks nothing for tokens that no key server's key could verify", async () => {
    const verifier = open();
    await verifier.verify(token(first, "first"));
    scene.now += HOUR;
    for (const alg of ["none", "HS256", "PS256"])
      await assert.rejects(verifier.verify(makeToken(first, {}, { alg, kid: "x" })), {
        code: "UNAUTHENTICATED",
      });
    assert.equal(scene.server.requests, 1);
  });

  test("refuses a token without a key id when two keys could be meant", async () => {
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

  test("refuses a token that names one key and is signed with another", async () => {
    scene.server.answer = answerKeys({ first, other: rsaKey() });
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
    assert.equal(scene.server.requests, 2);
    assert.equal(await verifier.verify(token(first, "first")), claims);
  });

  test("forgets verified tokens of a key that was withdrawn", async () => {
    const verifier = await openWarm();
    await verifier.verify(token(first, "first"));
    scene.server.answer = answerKeys({ second });
    scene.now += 30 * SECOND;
    await ring();
    await assert.rejects(verifier.verify(token(first, "first")), UNKNOWN);
  });

  test(
    "answers SERVICE_UNAVAILABLE when it has no keys and the server is away, and asks no " +
      "more than the back-off allows",
    async () => {
      scene.server.answer = answerJson({}, 500);
      const verifier = open();
      assert.deepEqual(verifier.readiness(), {
        ready: false,
        reason: "The keys are not here yet.",
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
        reason: "The key server gave no keys.",
      });
      scene.server.answer = answerKeys({ first });
      await assert.rejects(verifier.verify(token(first, "first")), AWAY);
      scene.now += 1 * SECOND;
      assert.equal((await verifier.verify(token(first, "first"))).subject, "u1");
      assert.equal(scene.server.requests, 2);
    },
  );

  test("answers SERVICE_UNAVAILABLE when nothing listens", async () => {
    const { url } = scene.server;
    await scene.server.close();
    await assert.rejects(open({ jwksUrl: url }).verify(token(first, "first")), AWAY);
    scene.server = await startKeyServer(answerKeys({ first }));
  });

  test("goes on with the last good keys for 24 hours while the server is down", async () => {
    const verifier = await openWarm();
    await verifier.verify(token(first, "first"));
    scene.server.answer = answerJson({}, 503);
    scene.now += 24 * HOUR - 1;
    await ring();
    assert.equal((await verifier.verify(token(first, "first", { sub: "u2" }))).subject, "u2");
    assert.deepEqual(verifier.readiness(), {
      ready: true,
      reason: "The key server does not answer; its last keys are used.",
    });
    await assert.rejects(verifier.verify(token(second, "second")), AWAY);
    scene.now += 1;
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
        scene.server.answer = answer;
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
        scene.server.answer = answer;
        const verifier = open({ jwksUrl: scene.server.url, timeoutMs: 40 });
        const begun = performance.now();
        await assert.rejects(verifier.verify(token(first, "first")), AWAY);
        assert.ok(performance.now() - begun < 1500);
      }
    },
  );

  test("does not let tokens of known keys wait while the server hangs", async () => {
    const verifier = await openWarm();
    const asked = new Promise<void>((resolve) => (scene.server.answer = () => resolve()));
    scene.now += HOUR;
    live().callback();
    await asked;
    assert.equal((await verifier.verify(token(first, "first", { sub: "u3" }))).subject, "u3");
  });
});
