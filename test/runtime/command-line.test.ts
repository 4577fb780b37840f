import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { ArgumentsError, parseCommandLine } from "../../src/runtime/command-line.js";
import { long } from "../support/runner/long.js";

const command = {
  name: "npm run greet",
  about: "Greet a person.",
  options: {
    name: { type: "string", value: "<name>", required: true, about: "Name of the person." },
    times: { type: "string", value: "<number>", default: "1", about: "How often." },
    loud: { type: "boolean", about: "Shout." },
    internal: { type: "boolean", about: null },
  },
  positional: { value: "<place>", about: "Where." },
  examples: ["--name Ann", ""],
} as const;

const USAGE = `Usage: npm run greet -- --name <name> [--times <number>] [--loud] [<place>]

Greet a person.

Options:
  <place>           Where.
  --name <name>     Name of the person. (required)
  --times <number>  How often. (1 if not given)
  --loud            Shout.
  --help            Show this help.

Examples:
  npm run greet -- --name Ann
  npm run greet
`;

describe("the arguments of a command", () => {
  const parse = (...args: string[]) =>
    parseCommandLine(command, (values, places) => ({ ...values, places }), args);

  it("are returned by name, with the default of each that is absent", () => {
    const result = { name: "Ann", times: "1", loud: false, internal: false, places: [] };
    assert.deepEqual({ ...parse("--name", "Ann")?.result }, result);
    const all = parse("--", "here", "--name=Ann", "--loud", "--times", "2", "--internal");
    assert.deepEqual(
      { ...all?.result },
      { name: "Ann", times: "2", loud: true, internal: true, places: ["here"] },
    );
  });

  it("are ignored in favour of the usage when --help is among them", () => {
    for (const args of [["--help"], ["-h"], ["--loud", "--help"]])
      assert.equal(parse(...args), null);
  });

  for (const [args, sentence] of [
    [["--name", "Ann", "--root"], "Unknown option '--root'."],
    [["--name"], "Option '--name <value>' argument missing."],
    [[], "--name is missing."],
  ] as const) {
    it(`are refused with the usage: ${args.join(" ") || "none"}`, () => {
      assert.throws(() => parse(...args), {
        name: "ArgumentsError",
        message: `Invalid arguments: ${sentence}\n\n${USAGE}`,
      });
    });
  }

  it("are refused with the message of the command that reads them", () => {
    const read = () => {
      throw new Error("--times must be a number");
    };
    assert.throws(
      () => parseCommandLine(command, read, ["--name", "Ann"]),
      (error) =>
        error instanceof ArgumentsError &&
        error.message.startsWith("Invalid arguments: --times must be a number.\n\nUsage: "),
    );
  });

  it("follow a program directly, without the -- that npm needs", () => {
    const direct = { ...command, name: "node greet.js" };
    assert.throws(
      () => parseCommandLine(direct, () => null, []),
      (error) =>
        error instanceof ArgumentsError &&
        error.message.includes("Usage: node greet.js --name <name> [--times") &&
        error.message.includes("\n  node greet.js --name Ann\n  node greet.js\n"),
    );
  });

  it("are refused by a command that takes none", () => {
    assert.throws(
      () => parseCommandLine({ name: "x", about: "X." }, () => null, ["y"]),
      /^ArgumentsError: Invalid arguments: Unexpected argument 'y'\.\n\nUsage: x\n/,
    );
  });
});

describe("every command", { concurrency: 2 }, () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Record<string, string>;
  };
  const typedAs = (name: string) =>
    ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`;
  const files = [
    ...Object.entries(scripts).flatMap(
      ([name, line]) =>
        / exec node (?:--\S+ )?(dist\/\S+\.js)$/
          .exec(line)
          ?.slice(1)
          .map((file) => ({ typed: typedAs(name), file })) ?? [],
    ),
    // The commands without a script, which are rare or run in a container without npm.
    ...[
      "dist/bin/delete-user.js",
      "dist/bin/adopt-storage.js",
      "dist/test/fuzz/main.js",
      "dist/test/security/fuzz/main.js",
      "dist/test/mutants/main.js",
      "dist/test/deploy/rehearse.js",
      "dist/bench/soak/main.js",
    ].map((file) => ({ typed: `node ${file}`, file })),
  ];
  const run = (file: string, ...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [file, ...args], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });

  it("is found by this test", () => assert.ok(files.length > 15, `${files.length} were found`));

  for (const { typed, file } of files) {
    it(
      `prints its usage with --help: ${typed}`,
      ["npm start", "npm run token"].includes(typed) ? {} : long,
      async () => {
        const { code, stdout, stderr } = await run(file, "--help");
        assert.deepEqual([code, stderr], [0, ""]);
        assert.ok(stdout.startsWith(`Usage: ${typed}`) && stdout.includes("\nOptions:\n"), stdout);
      },
    );
    it(`refuses an unknown option: ${typed}`, long, async () => {
      const { code, stdout, stderr } = await run(file, "--no-such-option");
      assert.deepEqual([code, stdout], [1, ""]);
      assert.ok(
        stderr.startsWith(
          `Invalid arguments: Unknown option '--no-such-option'.\n\nUsage: ${typed}`,
        ),
        stderr,
      );
    });
  }
});
