import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createLoggerTo } from "../../src/runtime/logger.js";

const logger = new URL("../../src/runtime/logger.js", import.meta.url).href;

/**
 * Returns the standard output of a process with its own logger until it ends, by `signal` if one is
 * given.
 */
async function logged(options: object, script: string, signal?: "SIGKILL"): Promise<string> {
  const loggerOptions = { name: "test", level: "info", pretty: false, ...options };
  const program =
    `const { createLogger } = await import(${JSON.stringify(logger)}); ` +
    `const log = createLogger(${JSON.stringify(loggerOptions)}); ${script}`;
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
  it("has one line of JSON per message, with its fields and the process's name", async () => {
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

  it("keeps the order of lines until an exit, even in a busy process", async () => {
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

  it("delays lines below warn, but has written a warning before SIGKILL", async () => {
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

  it("writes a single line soon while its process keeps running", async () => {
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

  it("has source files and lines in its stacks, without any option of Node", async () => {
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
    assert.match(
      lines[Number(at) - 1] ?? "",
      /throw new Error\("It contains no complete PEM block/,
      stack,
    );
  });

  it("omits lines below its level", async () => {
    assert.deepEqual(
      parse(await logged({ level: "warn" }, `log.info("no"); log.warn("yes");`)).map(
        ({ msg }) => msg,
      ),
      ["yes"],
    );
  });

  it("never contains a named secret, at any depth of a line", async () => {
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

  it("contains no secret within a text or in an error property of a library", () => {
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
    const parsed = lines.map(
      (line) => JSON.parse(line) as { msg: string; err?: { stack: string; command?: string } },
    );
    assert.equal(parsed[0]?.msg, "GET /files/photos/1/a.jpg?exp=17&sig=[redacted]&more=1");
    assert.equal(parsed[2]?.msg, "a token [redacted] came");
    assert.match(
      parsed[4]?.err?.stack ?? "",
      new RegExp(
        String.raw`^Error: Failed query: select \$1, \$2\nparams: \[redacted\]\n {4}at ` +
          String.raw`[\s\S]+caused by: Error: relation is gone`,
      ),
    );
    assert.equal(parsed[5]?.err?.command, "auth");
  });

  it("adds the additional fields to every line", () => {
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

  it("is readable for people when it is pretty", async () => {
    assert.match(await logged({ pretty: true }, `log.info({ a: 1 }, "hello");`), /INFO.*hello/);
  });

  it("goes to the given destination", () => {
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
