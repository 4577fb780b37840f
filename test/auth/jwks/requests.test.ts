import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { createJwks } from "../../../src/auth/jwks.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { answerJson, answerKeys } from "../key-server.js";
import { edKey } from "../make-token.js";
import {
  SECOND,
  HOUR,
  first,
  second,
  scene,
  useScene,
  openJwks,
  schedule,
  live,
} from "./jwks-scene.js";

describe("the requests for a key server's keys", () => {
  useScene();

  test("are sent every 10 minutes, and after failures in 1, 2, 4 … 60 seconds", async () => {
    const jwks = openJwks();
    await jwks.refresh();
    assert.equal(live().ms, 600_000);
    scene.server.answer = answerJson({}, 500);
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      const requests = scene.server.requests;
      live().callback();
      await jwks.refresh();
      assert.equal(scene.server.requests, requests + 1);
      delays.push(live().ms);
    }
    assert.deepEqual(
      delays,
      [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * SECOND),
    );
    scene.server.answer = answerKeys({ second });
    await jwks.refresh();
    assert.equal(live().ms, 600_000);
    assert.equal((await jwks.choose({ alg: "ES256", kid: "second" })).keys.length, 1);
  });

  test("are shared by concurrent refreshes", async () => {
    const jwks = openJwks();
    await Promise.all(Array.from({ length: 20 }, () => jwks.refresh()));
    assert.equal(scene.server.requests, 1);
  });

  test("increase the generation only if the keys change, not their order", async () => {
    const other = edKey();
    scene.server.answer = answerKeys({ first, other });
    const jwks = openJwks();
    assert.equal(jwks.generation(), 0);
    await jwks.refresh();
    assert.equal(jwks.generation(), 1);
    scene.server.answer = answerKeys({ other, first });
    await jwks.refresh();
    assert.equal(jwks.generation(), 1);
    scene.server.answer = answerKeys({ first });
    await jwks.refresh();
    assert.equal(jwks.generation(), 2);
    scene.now += 24 * HOUR;
    assert.equal(jwks.generation(), 0);
  });

  test("leave no timer and no request after close", async () => {
    const idle = openJwks();
    await idle.refresh();
    idle.close();
    assert.deepEqual(
      scene.timers.map((timer) => timer.cancelled),
      [true],
    );
    const busy = openJwks();
    await busy.refresh();
    scene.server.answer = () => {};
    const hanging = busy.refresh();
    busy.close();
    await hanging;
    assert.ok(scene.timers.every((timer) => timer.cancelled));
    const { requests } = scene.server;
    await busy.refresh();
    assert.equal(scene.server.requests, requests);
  });

  test("never have more than one timer", async () => {
    const jwks = openJwks();
    for (let i = 0; i < 3; i++) await jwks.refresh();
    assert.deepEqual(
      scene.timers.map((timer) => timer.cancelled),
      [true, true, false],
    );
  });

  test("log why the server returned no keys", async () => {
    const lines: string[] = [];
    const logger = createLoggerTo(
      new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) }),
    );
    scene.server.answer = answerJson({}, 500);
    const jwks = createJwks({
      url: new URL(scene.server.url),
      clock: () => scene.now,
      schedule,
      logger,
    });
    scene.opened.push(jwks);
    await jwks.refresh();
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]!,
      /"level":40.*The key server answered 500 instead of 200\..*"failures":1/,
    );
  });
});
