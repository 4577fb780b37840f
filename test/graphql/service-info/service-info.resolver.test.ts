import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { version } from "../../../src/bin/version.js";
import { startTestService } from "../../support/test-service.js";
import type { TestService } from "../../support/test-service.js";

describe("service", () => {
  let service: TestService;
  const begun = Date.now();
  before(async () => {
    service = await startTestService({ workers: 0, env: { REVISION: "0123abc" } });
  });
  after(() => service.close());

  it("tells what runs here and since when", async () => {
    const { service: info } = await (await service.person()).get("{ service { version revision startedAt } }");
    assert.deepEqual([info.version, info.revision], [version, "0123abc"]);
    assert.ok(Date.parse(info.startedAt) >= begun && Date.parse(info.startedAt) <= Date.now(), info.startedAt);
  });
});
