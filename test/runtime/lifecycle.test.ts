import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/runner/eventually.js";

const entry = fileURLToPath(new URL("./lifecycle-process.js", import.meta.url));

interface Ended {
  code: number | null;
  /** What it said itself, a line each. */
  said: string[];
  /** The messages of its log. */
  logged: string[];
  stderr: string;
}

/** Runs the process in a mode to its end; `act` is called once it has said `when`. */
async function run(
  mode: string,
  {
    when = "started",
    act = () => {},
  }: { when?: string; act?: (child: ChildProcess, said: () => string[]) => unknown } = {},
): Promise<Ended> {
  const child = fork(entry, [mode], { silent: true });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text) => (stdout += String(text)));
  child.stderr?.on("data", (text) => (stderr += String(text)));
  // Not "close": that never comes after a `disconnect` of ours.
  let code: number | null | undefined;
  void Promise.all([
    once(child, "exit"),
    ...[child.stdout, child.stderr].map((stream) => stream && once(stream, "end")),
  ]).then(([[exit]]) => (code = exit as number | null));
  const lines = () => stdout.split("\n").filter(Boolean);
  const said = () => lines().filter((line) => !line.startsWith("{"));
  await eventually(`"${when}" or its end`, () => said().includes(when) || code !== undefined);
  if (code === undefined) await act(child, said);
  await eventually("it has ended", () => code !== undefined);
  process.off("exit", kill);
  if (child.connected) child.disconnect();
  return {
    code: code ?? null,
    said: said(),
    logged: lines()
      .filter((line) => line.startsWith("{"))
      .map((line) => (JSON.parse(line) as { msg: string }).msg),
    stderr,
  };
}

/** Sends SIGTERM again and again; resolves with the time of the first. */
async function signalUntilEnd(child: ChildProcess): Promise<number> {
  const begun = Date.now();
  await eventually("it has ended", () => !child.kill("SIGTERM") || child.exitCode !== null);
  return begun;
}

describe("a process", { concurrency: 4 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`closes backwards what was opened, and exits 0, at ${signal}`, async () => {
      const { code, said, logged } = await run("plain", { act: (child) => child.kill(signal) });
      assert.deepEqual(
        [code, said, logged],
        [0, ["started", "closed second", "closed first"], [`${signal}: closing`]],
      );
    });
  }

  it("closes when its supervisor is gone", async () => {
    const { code, said } = await run("plain", { act: (child) => child.disconnect() });
    assert.deepEqual([code, said], [0, ["started", "closed second", "closed first"]]);
  });

  it("closes the rest when one does not close, and says which", async () => {
    const { said, logged } = await run("does not close well", {
      act: (child) => child.kill("SIGTERM"),
    });
    assert.deepEqual([said.at(-1), logged.at(-1)], ["closed first", "second did not close"]);
  });

  it("closes, too, what was being opened when the signal came", async () => {
    const { code, said } = await run("opens slowly", {
      when: "opening",
      act: (child) => child.kill("SIGTERM"),
    });
    assert.deepEqual(
      [code, said.filter((line) => line.startsWith("closed"))],
      [0, ["closed third", "closed second", "closed first"]],
    );
  });

  it(
    "takes all signals within a second for one, since a Ctrl-C comes from the terminal and " +
      "from npm",
    async () => {
      const { code, said, logged } = await run("plain", {
        act(child) {
          for (const signal of ["SIGINT", "SIGINT", "SIGTERM", "SIGINT"] as const)
            child.kill(signal);
        },
      });
      assert.deepEqual([code, said], [0, ["started", "closed second", "closed first"]]);
      // Which of them is delivered first is the system's choice.
      assert.match(logged.join("\n"), /^SIG(INT|TERM): closing$/);
    },
  );

  it("exits 1 at once at a second signal, which comes more than a second after the first", async () => {
    let firstAt = 0;
    const { code, logged } = await run("closes slowly", {
      act: async (child) => (firstAt = await signalUntilEnd(child)),
    });
    assert.deepEqual([code, logged], [1, ["SIGTERM: closing", "second SIGTERM: exiting at once"]]);
    assert.ok(Date.now() - firstAt >= 1000);
  });

  it("closes everything even at a second signal where that can be hastened, and exits 1", async () => {
    const { code, said, logged } = await run("can hurry", { act: signalUntilEnd });
    assert.deepEqual([code, said.slice(1)], [1, ["closed second", "closed first"]]);
    assert.deepEqual(logged, ["SIGTERM: closing", "second SIGTERM: closing at once"]);
  });

  it("ends at a signal while it starts, without waiting for what it waits for", async () => {
    const { code, said, logged, stderr } = await run("waits for something", {
      when: "waiting",
      act: (child) => child.kill("SIGTERM"),
    });
    const closed = said.filter((line) => line.startsWith("closed"));
    assert.deepEqual(
      [code, closed, logged, stderr],
      [0, ["closed second", "closed first"], ["SIGTERM: closing"], ""],
    );
  });

  it("exits 1 when closing takes longer than it may", async () => {
    const { code, logged } = await run("never closes", { act: (child) => child.kill("SIGTERM") });
    assert.deepEqual([code, logged.at(-1)], [1, "not closed within 300 ms: giving up"]);
  });

  it("closes and exits 1 after a fault that nobody caught", async () => {
    const { code, said, logged } = await run("fault later");
    assert.deepEqual(
      [code, said.slice(-2), logged],
      [1, ["closed second", "closed first"], ["a fault that nobody caught: closing"]],
    );
  });

  it(
    "closes what was opened and exits 1 when it cannot start; a wrong configuration is " +
      "told in its own words",
    async () => {
      const wrong = await run("wrong configuration");
      assert.deepEqual(
        [wrong.code, wrong.said, wrong.logged, wrong.stderr],
        [
          1,
          ["closed second", "closed first"],
          [],
          "The configuration has a fault:\n  - PORT is not a whole number\n",
        ],
      );
      const bug = await run("bug at start");
      assert.deepEqual(
        [bug.code, bug.said, bug.logged, bug.stderr],
        [1, ["closed second", "closed first"], ["could not start"], ""],
      );
    },
  );
});

describe("a command", { concurrency: 4 }, () => {
  it(
    "closes backwards what it opened, and exits 0 when it has run, 1 with a sentence when " +
      "it failed",
    async () => {
      const [well, failed, stuck] = await Promise.all([
        run("command"),
        run("command that fails"),
        run("command that does not close well"),
      ]);
      assert.deepEqual(
        [well.code, well.said, well.stderr],
        [0, ["ran", "closed second", "closed first"], ""],
      );
      assert.deepEqual(
        [failed.code, failed.said, failed.stderr],
        [1, ["closed first"], "The configuration has a fault:\n  - PORT is not a whole number\n"],
      );
      assert.deepEqual([stuck.code, stuck.said, stuck.stderr], [1, ["closed first"], "stuck\n"]);
    },
  );
});
