// `node dist/test/security/fuzz/main.js [--rounds N --seconds S --seed S --rate-limit N]`: starts
// an API with its own stores. It attacks the API with thousands of almost valid documents, tokens,
// uploads, frames, streams and URLs, while a good client works. Each round is a quiet phase and
// then an attack. Exits with 1 after a wrong response, a logged error, growing memory, or if the
// API does not serve as before.
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCommandLine } from "../../../src/runtime/command-line.js";
import { startServiceProcess } from "../../chaos/service-process.js";
import { openStage } from "../../chaos/stage.js";
import { readSeed } from "../../support/runner/read-seed.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { createTestClient, type TestClient } from "../../support/clients/test-client.js";
import { attackInRounds } from "./attack-in-rounds.js";
import { renderRounds } from "./render-rounds.js";

const { rounds, seconds, seed, rateLimit } = readCommandLine(
  {
    name: "node dist/test/security/fuzz/main.js",
    about:
      "Attack an API with almost valid documents, tokens, uploads, frames, streams and URLs, " +
      "while a good client works.",
    options: {
      rounds: {
        type: "string",
        value: "<number>",
        default: "3",
        about: "Rounds, each with a quiet phase and an attack.",
      },
      seconds: {
        type: "string",
        value: "<number>",
        default: "10",
        about: "Length of each attack.",
      },
      seed: { type: "string", value: "<number>", about: "Repeats the attacks of an earlier run." },
      "rate-limit": {
        type: "string",
        value: "<number>",
        default: "0",
        about: "RATE_LIMIT_PER_MINUTE of the API.",
      },
    },
    examples: ["--rounds 10 --seconds 30 --seed 1"],
  },
  (values) => {
    const read = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
    if (!Number.isSafeInteger(read.rounds) || read.rounds < 1)
      throw new Error("--rounds must be a whole number from 1");
    if (!(read.seconds > 0)) throw new Error("--seconds must be over 0");
    return { ...read, seed: readSeed(values.seed), rateLimit: values["rate-limit"] };
  },
);

const say = (line: string) => void process.stdout.write(`${line}\n`);
process.exitCode = 1;
const folder = await mkdtemp(join(tmpdir(), "photo-service-attack-"));
// PostgreSQL may run as another user than this process.
await chmod(folder, 0o755);
const stage = await openStage(folder);
try {
  const violations = await run();
  for (const violation of violations.slice(0, 20)) say(`WRONG  ${violation}`);
  say(
    violations.length === 0
      ? `all responses were correct, and the API serves as before (seed ${seed})`
      : `${violations.length} faults; seed ${seed}, the log is in ${stage.logs}`,
  );
  if (violations.length === 0) process.exitCode = 0;
} finally {
  await stage.close();
}
if (process.exitCode === 0) await rm(folder, { recursive: true, force: true });

async function run(): Promise<string[]> {
  // Without a rate limit every case reaches its target. With one, the run shows how much load an
  // attacker can still cause.
  const env = { ...stage.env, RATE_LIMIT_PER_MINUTE: rateLimit };
  const api = await startServiceProcess({ role: "api", name: "api", env, logs: stage.logs });
  try {
    const good = createTestClient(api.url, await stage.token("good"));
    await good.enqueue("echo");
    const attacker = createTestClient(api.url, await stage.token("attacker"));
    await growHistory(attacker);
    const fileUrl = String(
      (await attacker.upload(smallPhoto(), { type: "image/png" })).json["url"],
    );
    const attack = await attackInRounds({
      good,
      pid: api.pid,
      target: { url: api.url, token: attacker.token, fileUrl },
      rounds,
      seconds,
      seed,
    });
    say(renderRounds(attack, rounds * seconds));
    return [...attack.violations, ...(await faultsInLog()), ...(await servesAsBefore(good))];
  } finally {
    api.signal("SIGTERM");
    await api.exited;
  }
}

/** Makes long lists for documents that nest them. */
async function growHistory(attacker: TestClient): Promise<void> {
  const { id } = await attacker.enqueue(
    "echo",
    {},
    { runAt: new Date(Date.now() + 86_400_000).toISOString() },
  );
  const steps = Array.from(
    { length: 5 },
    (_, i) => `c${i}: cancelQueuedJob(id: $id) { id } r${i}: retryQueuedJob(id: $id) { id }`,
  );
  for (let i = 0; i < 5; i++)
    await attacker.get(`mutation ($id: ID!) { ${steps.join(" ")} }`, { id });
}

async function faultsInLog(): Promise<string[]> {
  const lines = (await readFile(join(stage.logs, "api.log"), "utf8")).split("\n").filter(Boolean);
  return lines
    .filter(
      (line) =>
        !line.startsWith("{") || Number((JSON.parse(line) as { level: number }).level) >= 50,
    )
    .map((line) => `the API logged ${line.slice(0, 600)}`);
}

async function servesAsBefore(good: TestClient): Promise<string[]> {
  const upload = await good.upload(smallPhoto(), { type: "image/png" });
  const stream = good.events({ after: await good.cursor() });
  const { id, status } = await good.enqueue("echo");
  await stream.next("an event of the submission", ({ queuedJob }) => queuedJob.id === id);
  stream.stop();
  return upload.status === 201 && status === "PENDING"
    ? []
    : [`after the attacks, an upload has the status ${upload.status}, a submission ${status}`];
}
