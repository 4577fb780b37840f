import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("unruly-child.js", import.meta.url));

describe("a served child", () => {
  it("kills itself during its work when its parent has ended", async () => {
    // Started without the pool, whose system calls could also kill it.
    const child = fork(ENTRY);
    assert.deepEqual((await once(child, "message"))[0], { type: "ready" });
    child.send({ type: "run", id: 1, request: { do: "wait" } });
    assert.deepEqual((await once(child, "message"))[0], { type: "begun", id: 1 });
    child.disconnect();
    assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  });

  it("prints one sentence when it is started directly", () => {
    const { status, stderr } = spawnSync(process.execPath, [ENTRY], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /A child pool must start this module; it cannot be run directly\./);
  });
});
