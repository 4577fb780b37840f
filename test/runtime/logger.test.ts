import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createLoggerTo } from "../../src/runtime/logger.js";

const logger = new URL("../../src/runtime/logger.js", import.meta.url).href;

/** What a process with its own logger writes to standard output until it ends, by `signal`. */
async function logged(options: object, script: string, signal?: "SIGKILL"): Promise<string> {
  const given = { name: "test", level: "info", pretty: false, ...options };
  const program =
    `const { createLogger } = await import(${JSON.stringify(logger)}); ` +
    `const log = createLogger(${JSON.stringify(given)}); ${script}`;
  const args = ["--input-type=module", "--eval", program];
  const ended = await promisify(execFile)(process.execPath, args).catch((error: unknown) => error);
  const { stdout, signal: by } = ended as { stdout: string; signal?: string };
  assert.equal(by, signal);
  return stdout;
}

const messageOf = (line: Record<string, unknown> | undefined) =>
  (line?.["err"] as Error | undefined)?.message;
const parse = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the log", () => {
  it("is one line of JSON for each message, with its fields and the process's name", async () => {
    const [first, second, ...more] = parse(
      await logged(
        {},
        `log.info({ queuedJobId: "1" }, "two\\nlines\\r"); log.child({ requestId: "r" ` +
          `}).warn({ err: new Error("broke") }, "failed");`,
      ),
    );
    assert.deepEqual(
      [first?.["name"], first?.["level"], first?.["queuedJobId"], first?.["msg"]],
      ["test", 30, "1", "two\nlines\r"],
    );
    assert.deepEqual(
      [second?.["level"], second?.["requestId"], messageOf(second)],
      [40, "r", "broke"],
    );
    assert.deepEqual(more, []);
  });

  it("keeps its order to the last word before an exit, however busy the process is", async () => {
    const busy = `for (let i = 0; i < 4; i++) pbkdf2("a", "b", 100_000, 64, "sha512", () => {});`;
    const text = await logged(
      {},
      `const { pbkdf2 } = await import("node:crypto"); ${busy} log.info("first"); ` +
        `log.error("second"); log.info("last"); process.exit(0);`,
    );
    assert.deepEqual(
      parse(text).map(({ msg }) => msg),
      ["first", "second", "last"],
    );
  });

  it("holds lines below warn for a moment, and has written a warning before SIGKILL", async () => {
    const text = await logged(
      {},
      `log.info("before"); log.warn("written"); log.info("lost"); process.kill(process.pid, 9);`,
      "SIGKILL",
    );
    assert.deepEqual(
      parse(text).map(({ msg }) => msg),
      ["before", "written"],
    );
  });

  it("writes a lone line within a moment while its process runs on", async () => {
    const text = await logged(
      {},
      `log.info("alone"); setTimeout(() => process.kill(process.pid, 9), 500);`,
      "SIGKILL",
    );
    assert.deepEqual(
      parse(text).map(({ msg }) => msg),
      ["alone"],
    );
  });

  it("has the files and lines of the sources in its stacks, whatever Node was started with", async () => {
    const throws = new URL("../../src/auth/public-keys.js", import.meta.url).href;
    const [line] = parse(
      await logged(
        {},
        `const { parsePublicKeys } = await import(${JSON.stringify(throws)}); try { ` +
          `parsePublicKeys(""); } catch (error) { log.error(error); }`,
      ),
    );
    const { stack } = (line ?? {})["err"] as { stack: string };
    const [, at = "0"] = /src\/auth\/public-keys\.ts:(\d+):\d+\)/.exec(stack) ?? [];
    const lines = readFileSync("src/auth/public-keys.ts", "utf8").split("\n");
    // The message stands on the line behind that of `new Error(`.
    assert.match(lines[Number(at) - 1] ?? "", /throw new Error\($/, stack);
    assert.match(lines[Number(at)] ?? "", /no complete PEM block/, stack);
  });

  it("leaves out what is under its level", async () => {
    assert.deepEqual(
      parse(await logged({ level: "warn" }, `log.info("no"); log.warn("yes");`)).map(
        ({ msg }) => msg,
      ),
      ["yes"],
    );
  });

  it("never holds a secret, at whatever depth a line carries it", async () => {
    const names = ["authorization", "token", "password", "cookie", "sig", "secret"];
    const secrets = Object.fromEntries(names.map((name) => [name, `hush-${name}`]));
    const text = await logged(
      {},
      `const s = ${JSON.stringify(secrets)}; log.info(s, "top"); log.info({ headers: s ` +
        `}, "below"); log.info({ req: { headers: s } }, "deep"); log.child({ headers: s ` +
        `}).info("child"); log.info({ a: [{ b: { c: { ...s, token: { of: ["hush"] } } } }] ` +
        `}, "at the bottom");`,
    );
    assert.doesNotMatch(text, /hush/);
    assert.deepEqual(
      parse(text).map(({ msg }) => msg),
      ["top", "below", "deep", "child", "at the bottom"],
    );
    for (const name of names) assert.equal(parse(text)[0]?.[name], "[redacted]");
  });

  it("holds no secret that stands within a text, or that a library hangs on its errors", () => {
    const jwt = `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`;
    const query = Object.assign(
      new Error('Failed query: select $1, $2\nparams: hush "quoted"\nhush,2'),
      {
        query: "select $1",
        params: ["hush"],
        parameters: ["hush"],
        cause: new Error("relation is gone"),
      },
    );
    const reply = Object.assign(new Error("WRONGPASS"), {
      command: { name: "auth", args: ["hush"] },
    });
    const lines: string[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(line) }, "trace");
    log.trace(`GET /files/photos/1/a.jpg?exp=17&sig=hush-${"x".repeat(43)}&more=1`);
    log.debug(
      { url: "https://bucket.test/key?X-Amz-Credential=hush&X-Amz-Signature=hush" },
      "fetched",
    );
    log.info({ header: "Bearer hush-hush-hush" }, `a token ${jwt} came`);
    log.warn(
      { err: new Error("connect postgres://photos:hush@db:5432/photos failed") },
      "redis://:hush@redis is away",
    );
    log.error({ err: query }, "failed");
    log.error({ err: reply }, "failed");
    for (const line of lines) assert.doesNotMatch(line, /hush|aaaa/);
    assert.equal(lines.length, 6);
    const told = lines.map(
      (line) => JSON.parse(line) as { msg: string; err?: { stack: string; command?: string } },
    );
    assert.equal(told[0]?.msg, "GET /files/photos/1/a.jpg?exp=17&sig=[redacted]&more=1");
    assert.equal(told[2]?.msg, "a token [redacted] came");
    assert.match(
      told[4]?.err?.stack ?? "",
      new RegExp(
        String.raw`^Error: Failed query: select \$1, \$2\nparams: \[redacted\]\n {4}at ` +
          String.raw`[\s\S]+caused by: Error: relation is gone`,
      ),
    );
    assert.equal(told[5]?.err?.command, "auth");
  });

  it("says in every line what it is asked to say besides", () => {
    const lines: string[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(line) }, "info", () => ({
      trace_id: "t",
    }));
    log.child({ requestId: "r" }).info("hello");
    assert.deepEqual(
      lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ trace_id, requestId }) => [trace_id, requestId]),
      [["t", "r"]],
    );
  });

  it("is made for people where it is pretty", async () => {
    assert.match(await logged({ pretty: true }, `log.info({ a: 1 }, "hello");`), /INFO.*hello/);
  });

  it("goes where it is told to", () => {
    const lines: string[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(line) }, "debug");
    log.trace("no");
    log.debug("yes");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ["yes"],
    );
  });
});
