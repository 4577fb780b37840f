// Sends real requests with everything that must never be logged, at the lowest level.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createRedis } from "../../../src/runtime/redis.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { eventually } from "../../support/runner/eventually.js";
import { OPERATOR_PASSWORD, scrape } from "../../support/clients/scrape.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { createTestClient } from "../../support/clients/test-client.js";
import { testRedis } from "../../support/stores/test-redis.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("the log of a service at its lowest level", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ env: { ADMIN_PASSWORD: OPERATOR_PASSWORD } });
  });
  after(() => service.close());

  it("contains no secret, photo bytes or submitted text", async () => {
    const person = await service.person({ email: "private@example.test" });
    const expired = await service.token({}, { expiresIn: -60 });
    const photo = smallPhoto(16, 16);
    const uploaded = await person.upload(photo, {
      type: "image/png",
      filename: "private-name.png",
    });
    const signed = new URL(String(uploaded.json["url"]), service.url);
    const forged = `${signed.origin}${signed.pathname}?exp=9999999999&sig=${"f".repeat(43)}`;
    const words = { message: "private-words" };

    const stream = person.events();
    const refused = createTestClient(service.url, expired).events();
    await Promise.all([
      person.finished(
        (
          await person.enqueue(
            "echo",
            { ...words, failAttempts: 1 },
            { idempotencyKey: "private-key" },
          )
        ).id,
      ),
      fetch(signed),
      fetch(forged),
      createTestClient(service.url, expired).ask("{ me { id } }"),
      refused.ended(),
    ]);
    await person.upload(photo.subarray(0, 50), { type: "image/png" });
    await fetch(`${service.url}/metrics`, {
      headers: {
        authorization: `Basic ${Buffer.from("admin:private-guess").toString("base64")}`,
      },
    });
    await scrape(service.url);
    // Unexpected errors in statements that are full of submitted data.
    const { sql } = service.database;
    for (const table of ["photos", "user_streams", "users"])
      await sql.unsafe(`alter table ${table} rename to gone_${table}`);
    const newcomer = await service.person({
      email: "private2@example.test",
      name: "private-person",
    });
    const broken = await Promise.all([
      newcomer.ask("{ me { id } }"),
      person.ask(
        'mutation ($p: JSONObject) { enqueueJob(input: { job: "echo", parameters: $p, ' +
          'idempotencyKey: "private-key2" }) { id } }',
        { p: words },
      ),
    ]);
    assert.deepEqual(
      broken.map(({ status, code, errors }) => [status, code, errors?.[0]?.message]),
      [
        [500, "INTERNAL_SERVER_ERROR", "Internal server error"],
        [200, "INTERNAL_SERVER_ERROR", "Internal server error"],
      ],
    );
    await person.upload(smallPhoto(9, 9), { type: "image/png", filename: "private-name2.png" });
    for (const table of ["photos", "user_streams", "users"])
      await sql.unsafe(`alter table gone_${table} rename to ${table}`);
    for (const one of [stream, refused]) one.stop();

    const text = service.logged.map((line) => JSON.stringify(line)).join("\n");
    assert.ok(service.logged.length > 20, text);
    const secrets = [
      person.token,
      expired,
      OPERATOR_PASSWORD,
      "private-guess",
      signed.searchParams.get("sig") ?? "",
      "f".repeat(43),
      "private-",
      photo.toString("latin1").slice(40, 60),
      photo.toString("base64").slice(40, 80),
      "a-signing-key-for-tests",
    ];
    for (const secret of secrets)
      assert.ok(
        secret.length > 5 && !text.includes(secret),
        text.split("\n").find((line) => line.includes(secret)),
      );
    for (const password of ["admin:private-guess", `admin:${OPERATOR_PASSWORD}`])
      assert.ok(!text.includes(Buffer.from(password).toString("base64")));
  });

  it("contains no refused Redis password", async () => {
    const lines: string[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(line) }, "trace");
    const redis = createRedis({
      url: testRedis().url.replace("redis://", "redis://somebody:private-password@"),
      prefix: testRedis().prefix,
      purpose: "test",
      failFast: true,
      log,
    });
    await eventually("it is refused", () => lines.length > 0);
    redis.disconnect();
    assert.match(lines[0] ?? "", /WRONGPASS|AUTH/);
    assert.doesNotMatch(lines.join(), /private-password/);
  });
});
