// What every change must pass; CI runs the same. The steps run in this order, and the first that
// fails ends the check with its exit code. Chaos and the rehearsal mostly wait, so they run beside
// the others. The tests come last, so that the last line of the output is theirs:
// `N passed, N failed, N skipped`.
//
//   npm run check                    all steps of CHECK
//   npm run check -- format lint     only the steps that are named
//   npm run check -- examples        the steps of EXAMPLES
//   npm run check -- examples-install all
//                                    that step, then all steps of CHECK
//   npm run check -- --list          prints the steps with their reasons
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE = "node --enable-source-maps";

/**
 * A step that is `beside` starts first, and its output is printed before the last step starts.
 * @typedef {{ name: string, command: string, reason: string, beside?: boolean }} Step
 */

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
    // Without a shell between, a signal reaches it.
    command: `exec ${NODE} dist/test/chaos/main.js --minutes 1`,
    beside: true,
    reason: "A minute of load while processes and stores are killed shows lost or doubled events.",
  },
  {
    name: "rehearse",
    command: `exec ${NODE} dist/test/deploy/rehearse.js`,
    beside: true,
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
    process.stdout.write(`${name.padEnd(18)}${command}\n${" ".repeat(18)}${reason}\n`);
  }
} else {
  process.exitCode = await runAll(choose(wanted));
}

/** @param {string[]} names */
function choose(names) {
  if (names.length === 0) return CHECK;
  return names.flatMap((name) => {
    if (name === "examples") return EXAMPLES;
    if (name === "all") return CHECK;
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
  const last = steps.at(-1);
  /** @param {Step} step */
  const isBeside = (step) => step.beside && step !== last;
  const beside = steps.filter(isBeside).map((step) => ({ step, ...start(step, "pipe") }));
  for (const step of steps.filter((one) => !isBeside(one))) {
    for (const other of step === last ? beside : []) {
      const code = await other.ended;
      announce(other.step);
      process.stdout.write(other.output());
      if (code !== 0) return fail(other.step, code);
    }
    announce(step);
    const code = await start(step, "inherit").ended;
    if (code === 0) continue;
    for (const { child } of beside) child.kill("SIGTERM");
    await Promise.all(beside.map(({ ended }) => ended));
    // Nothing follows the tests: the last line stays their count.
    return step === last ? code : fail(step, code);
  }
  return 0;
}

/** @param {Step} step */
function announce(step) {
  process.stdout.write(`\n> ${step.name}: ${step.command}\n`);
}

/**
 * @param {Step} step
 * @param {number} code
 */
function fail(step, code) {
  process.stderr.write(`\nThe check failed at: ${step.name}\n`);
  return code;
}

/**
 * Starts a command with the binaries of `node_modules` on its path. `ended` resolves with its exit
 * code; `output` returns what it has printed if that is piped.
 * @param {Step} step
 * @param {"inherit" | "pipe"} stdio
 */
function start({ command }, stdio) {
  const bin = join(ROOT, "node_modules/.bin");
  const child = spawn(command, {
    cwd: ROOT,
    shell: true,
    stdio: ["inherit", stdio, stdio],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => (printed += text));
  // A terminal sends SIGINT to the command as well; this process waits for its end.
  const wait = () => {};
  const forward = () => void child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", forward);
  /** @type {Promise<number>} */
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", wait).off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
  return { child, ended, output: () => printed };
}
