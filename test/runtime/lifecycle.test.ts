import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/runner/eventually.js";

const entry = fileURLToPath(new URL("./lifecycle-process.js", import.meta.url));

interface Ended {
  code: number | null;
  /** Lines that the process printed itself. */
  printed: string[];
  /** Messages of its log. */
  logged: string[];
  stderr: string;
}

/**
 * Runs the process in a mode until its end. `act` is called once the process has printed `when`.
 */
async function run(
  mode: string,
  {
    when = "started",
    act = () => {},
  }: { when?: string; act?: (child: ChildProcess, printed: () => string[]) => unknown } = {},
): Promise<Ended> {
  const child = fork(entry, [mode], { silent: true });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text) => (stdout += String(text)));
  child.stderr?.on("data", (text) => (stderr += String(text)));
  // This does not use "close", which never fires after our own `disconnect`.
  let code: number | null | undefined;
  void Promise.all([
    once(child, "exit"),
    ...[child.stdout, child.stderr].map((stream) => stream && once(stream, "end")),
  ]).then(([[exit]]) => (code = exit as number | null));
  const lines = () => stdout.split("\n").filter(Boolean);
  const printed = () => lines().filter((line) => !line.startsWith("{"));
  await eventually(`"${when}" or its end`, () => printed().includes(when) || code !== undefined);
  if (code === undefined) await act(child, printed);
  await eventually("it has ended", () => code !== undefined);
  process.off("exit", kill);
  if (child.connected) child.disconnect();
  return {
    code: code ?? null,
    printed: printed(),
    logged: lines()
      .filter((line) => line.startsWith("{"))
      .map((line) => (JSON.parse(line) as { msg: string }).msg),
    stderr,
  };
}

/** Sends SIGTERM repeatedly; resolves with the time of the first. */
async function signalUntilEnd(child: ChildProcess): Promise<number> {
  const startedAt = Date.now();
  await eventually("it has ended", () => !child.kill("SIGTERM") || child.exitCode !== null);
  return startedAt;
}

describe("a process", { concurrency: 4 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`closes in reverse order of opening and exits 0 at ${signal}`, async () => {
      const { code, printed, logged } = await run("plain", { act: (child) => child.kill(signal) });
      assert.deepEqual(
        [code, printed, logged],
        [0, ["started", "closed second", "closed first"], [`${signal}: closing`]],
      );
    });
  }

  it("closes when its supervisor has exited", async () => {
    const { code, printed } = await run("plain", { act: (child) => child.disconnect() });
    assert.deepEqual([code, printed], [0, ["started", "closed second", "closed first"]]);
  });

  it("closes the rest when one resource does not close, and logs its name", async () => {
    const { printed, logged } = await run("does not close well", {
      act: (child) => child.kill("SIGTERM"),
    });
    assert.deepEqual([printed.at(-1), logged.at(-1)], ["closed first", "second did not close"]);
  });

  it("also closes what was being opened when the signal arrived", async () => {
    const { code, printed } = await run("opens slowly", {
      when: "opening",
      act: (child) => child.kill("SIGTERM"),
    });
    assert.deepEqual(
      [code, printed.filter((line) => line.startsWith("closed"))],
      [0, ["closed third", "closed second", "closed first"]],
    );
  });

  it("treats all signals within a second as one: npm repeats a Ctrl-C", async () => {
    const { code, printed, logged } = await run("plain", {
      act(child) {
        for (const signal of ["SIGINT", "SIGINT", "SIGTERM", "SIGINT"] as const) child.kill(signal);
      },
    });
    assert.deepEqual([code, printed], [0, ["started", "closed second", "closed first"]]);
    // The system chooses which signal arrives first.
    assert.match(logged.join("\n"), /^SIG(INT|TERM): closing$/);
  });

  it("exits 1 at once at a second signal more than a second after the first", async () => {
    let firstAt = 0;
    const { code, logged } = await run("closes slowly", {
      act: async (child) => (firstAt = await signalUntilEnd(child)),
    });
    assert.deepEqual([code, logged], [1, ["SIGTERM: closing", "second SIGTERM: exiting at once"]]);
    assert.ok(Date.now() - firstAt >= 1000);
  });

  it("closes everything at a second signal if closing can be hastened, and exits 1", async () => {
    const { code, printed, logged } = await run("can hurry", { act: signalUntilEnd });
    assert.deepEqual([code, printed.slice(1)], [1, ["closed second", "closed first"]]);
    assert.deepEqual(logged, ["SIGTERM: closing", "second SIGTERM: closing at once"]);
  });

  it("ends at a signal during the start without waiting for the start", async () => {
    const { code, printed, logged, stderr } = await run("waits for something", {
      when: "waiting",
      act: (child) => child.kill("SIGTERM"),
    });
    const closed = printed.filter((line) => line.startsWith("closed"));
    assert.deepEqual(
      [code, closed, logged, stderr],
      [0, ["closed second", "closed first"], ["SIGTERM: closing"], ""],
    );
  });

  it("exits 1 when closing exceeds the deadline", async () => {
    const { code, logged } = await run("never closes", { act: (child) => child.kill("SIGTERM") });
    assert.deepEqual([code, logged.at(-1)], [1, "not closed within 300 ms: giving up"]);
  });

  it("closes and exits 1 after an uncaught error", async () => {
    const { code, printed, logged } = await run("fault later");
    assert.deepEqual(
      [code, printed.slice(-2), logged],
      [1, ["closed second", "closed first"], ["uncaught error: closing"]],
    );
  });

  it("closes and exits 1 when it cannot start, with the reason", async () => {
    const wrong = await run("wrong configuration");
    assert.deepEqual(
      [wrong.code, wrong.printed, wrong.logged, wrong.stderr],
      [
        1,
        ["closed second", "closed first"],
        [],
        "The configuration has a fault:\n  - PORT is not a whole number\n",
      ],
    );
    const bug = await run("bug at start");
    assert.deepEqual(
      [bug.code, bug.printed, bug.logged, bug.stderr],
      [1, ["closed second", "closed first"], ["could not start"], ""],
    );
  });
});

describe("a command", { concurrency: 4 }, () => {
  it("closes in reverse order and exits 0, or 1 with a sentence after a failure", async () => {
    const [well, failed, stuck] = await Promise.all([
      run("command"),
      run("command that fails"),
      run("command that does not close well"),
    ]);
    assert.deepEqual(
      [well.code, well.printed, well.stderr],
      [0, ["ran", "closed second", "closed first"], ""],
    );
    assert.deepEqual(
      [failed.code, failed.printed, failed.stderr],
      [1, ["closed first"], "The configuration has a fault:\n  - PORT is not a whole number\n"],
    );
    assert.deepEqual([stuck.code, stuck.printed, stuck.stderr], [1, ["closed first"], "stuck\n"]);
  });
});
