import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "../../../src/embedded/processes/run-program.js";

test("returns everything that a program printed, and how it ended", async () => {
  assert.deepEqual(await runProgram("/bin/sh", ["-c", "echo out; exit 3"]), {
    code: 3,
    output: "out\n",
  });
  assert.deepEqual(await runProgram("/bin/sh", ["-c", "kill -9 $$"]), {
    code: null,
    output: "\nended by SIGKILL",
  });
  assert.deepEqual(await runProgram("/bin/sh", ["-c", "exec sleep 60"], { deadlineMs: 50 }), {
    code: null,
    output: "\nended by SIGKILL",
  });
});

test("returns the reason why a program could not run, and never throws", async () => {
  assert.equal((await runProgram("/nowhere/program", [])).error, "ENOENT");
  assert.equal((await runProgram("/etc/passwd", [])).error, "EACCES");
  assert.equal((await runProgram("/bin/sh", ["-c", "true"], { cwd: "/nowhere" })).error, "ENOENT");
});

test("passes none of this process's variables to the program", async () => {
  const { output } = await runProgram("/usr/bin/env", []);
  assert.deepEqual(output.trim().split("\n").sort(), ["LC_ALL=C", "PATH=/usr/bin:/bin", "TZ=UTC"]);
});
