import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("unruly-child.js", import.meta.url));

describe("a served child", () => {
  it("kills itself when its parent is gone, in the middle of its work", async () => {
    // Started by hand, so that no system call of the pool's does it instead.
    const child = fork(ENTRY);
    assert.deepEqual((await once(child, "message"))[0], { type: "ready" });
    child.send({ type: "run", id: 1, request: { do: "wait" } });
    assert.deepEqual((await once(child, "message"))[0], { type: "begun", id: 1 });
    child.disconnect();
    assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  });

  it("says what is wrong when it is started by hand", () => {
    const { status, stderr } = spawnSync(process.execPath, [ENTRY], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /This module is run by a child pool, not by hand\./);
  });
});
