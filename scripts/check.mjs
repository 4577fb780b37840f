// What every change must pass; CI runs the same. The steps run in this order, and the first that
// fails ends the check with its exit code. The tests come last, so that the last line of the
// output is theirs: `N passed, N failed, N skipped`.
//
//   npm run check                    all steps of CHECK
//   npm run check -- format lint     only the steps that are named
//   npm run check -- examples        the steps of EXAMPLES
//   npm run check -- --list          prints the steps with their reasons
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE = "node --enable-source-maps";

/** @typedef {{ name: string, command: string, reason: string }} Step */

/** @type {Step[]} */
const CHECK = [
  {
    name: "types",
    command: "tsc -p src/console && tsc -p client",
    reason: "The page and the hooks have other types; `scripts/prepare.cjs` compiled the rest.",
  },
  {
    name: "format",
    command: "prettier --check --log-level warn .",
    reason: "Prettier decides about the form; `npm run format` applies it.",
  },
  {
    name: "lint",
    command: "oxlint --deny-warnings && knip --no-config-hints",
    reason: "oxlint finds mistakes; knip finds files, exports and packages without a user.",
  },
  {
    name: "chaos",
    command: `${NODE} dist/test/chaos/main.js --minutes 1`,
    reason: "A minute of load while processes and stores are killed shows lost or doubled events.",
  },
  {
    name: "rehearse",
    command: `${NODE} dist/test/deploy/rehearse.js`,
    reason: "The steps of the Dockerfile work without a container engine.",
  },
  {
    name: "fuzz",
    command: `${NODE} dist/test/fuzz/main.js --files 60 --seed 2`,
    reason: "Damaged photos fail with a code, and never end a process.",
  },
  {
    name: "fuzz-edge",
    command: `${NODE} dist/test/security/fuzz/main.js --rounds 3 --seconds 10 --seed 3`,
    reason: "Hostile requests do not disturb a well-behaved client.",
  },
  {
    name: "tests",
    command: `LONG=1 ${NODE} dist/test/run.js`,
    reason: "All tests, the long ones too.",
  },
];

/**
 * The examples for browsers have their own packages. CHECK runs their tests when these exist.
 * @type {Step[]}
 */
const EXAMPLES = [
  {
    name: "examples-install",
    command: "node dist/client/build/main.js && npm ci --prefix examples",
    reason: "Packs the client, and installs it with the packages of the examples.",
  },
  {
    name: "examples-tests",
    command: `LONG=1 ${NODE} dist/test/run.js examples.test`,
    reason: "The examples compile with the types of codegen, and work in a real browser.",
  },
];

const STEPS = [...CHECK, ...EXAMPLES];

const wanted = process.argv.slice(2).filter((argument) => argument !== "--");
if (wanted.includes("--list")) {
  for (const { name, command, reason } of STEPS) {
    process.stdout.write(`${name.padEnd(14)}${command}\n${" ".repeat(14)}${reason}\n`);
  }
} else {
  process.exitCode = await runAll(choose(wanted));
}

/** @param {string[]} names */
function choose(names) {
  if (names.length === 0) return CHECK;
  return names.flatMap((name) => {
    if (name === "examples") return EXAMPLES;
    const step = STEPS.find((candidate) => candidate.name === name);
    if (step) return [step];
    process.stderr.write(
      `Unknown step: ${name}. Steps: ${STEPS.map((each) => each.name).join(", ")}.\n`,
    );
    return process.exit(1);
  });
}

/** @param {Step[]} steps */
async function runAll(steps) {
  for (const step of steps) {
    process.stdout.write(`\n> ${step.name}: ${step.command}\n`);
    const code = await run(step.command);
    if (code === 0) continue;
    // Nothing follows the tests: the last line stays their count.
    if (step !== steps.at(-1)) process.stderr.write(`\nThe check failed at: ${step.name}\n`);
    return code;
  }
  return 0;
}

/**
 * The exit code of a command, with the binaries of `node_modules` on its path.
 * @param {string} command
 * @returns {Promise<number>}
 */
function run(command) {
  return new Promise((resolve, reject) => {
    const bin = join(ROOT, "node_modules/.bin");
    const child = spawn(command, {
      cwd: ROOT,
      shell: true,
      stdio: "inherit",
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` },
    });
    // A terminal sends SIGINT to the command as well; this process waits for its end.
    const wait = () => {};
    const forward = () => void child.kill("SIGTERM");
    process.on("SIGINT", wait).on("SIGTERM", forward);
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", wait).off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}
