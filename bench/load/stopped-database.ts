// Measures the outcome of submissions while all processes of PostgreSQL are stopped.
//   node dist/bench/load/stopped-database.js [--rate 250] [--seconds 25] [--users 40]
import { randomUUID } from "node:crypto";
import { Agent, request as send } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { eventually } from "../../test/support/runner/eventually.js";
import { processTree } from "../../test/support/processes/process-tree.js";
import {
  inTurns,
  memoryOf,
  say,
  withLoadService,
  type LoadService,
  type LoadUser,
} from "./load-service.js";

interface Outcome {
  mark: string;
  code: string;
  ms: number;
}

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "250" },
    seconds: { type: "string", default: "25" },
    users: { type: "string", default: "40" },
  },
});
const [RATE, SECONDS, USERS] = [Number(values.rate), Number(values.seconds), Number(values.users)];
const SUBMIT = "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }";
const TICK_MS = 20;
const agent = new Agent({ keepAlive: true });

await withLoadService({}, async (service) => {
  const users = await Promise.all(
    Array.from({ length: USERS }, (_, i) => service.user(`user-${i}`)),
  );
  await inTurns(users, (user) => user.ask("{ queuedJobs(first: 1) { eventCursor } }"));
  const outcomes: Promise<Outcome>[] = [];
  await submitFor(2, service, users, outcomes);
  await Promise.all(outcomes.splice(0));
  const before = await memoryOf(service.api);
  const processes = processTree(service.postgres.pid);
  const feeding = submitFor(SECONDS, service, users, outcomes);
  for (const pid of processes) process.kill(pid, "SIGSTOP");
  let highest = before;
  const watch = setInterval(
    () => void memoryOf(service.api).then((now) => (highest = Math.max(highest, now))),
    200,
  );
  await Promise.race([feeding, pause(1000 * SECONDS)]);
  for (const pid of processes) process.kill(pid, "SIGCONT");
  const resumed = Date.now();
  await feeding;
  const recovered = eventually(
    "the API accepts submissions again",
    async () => (await submit(service, users[0], "after")).code === "ACCEPTED",
    60_000,
  ).then(() => Date.now() - resumed);
  const answered = await Promise.all(outcomes);
  clearInterval(watch);
  report(answered, {
    grownKiB: highest - before,
    recoveredMs: await recovered,
    recorded: await marksOf(service.postgres.url),
  });
});

async function submitFor(
  seconds: number,
  service: LoadService,
  users: LoadUser[],
  outcomes: Promise<Outcome>[],
): Promise<void> {
  const startedAt = Date.now();
  for (let sent = 0; Date.now() - startedAt < 1000 * seconds; await pause(TICK_MS)) {
    for (const due = ((Date.now() - startedAt) / 1000) * RATE; sent < due; sent++)
      outcomes.push(submit(service, users[sent % users.length]));
  }
}

function submit(
  { port }: LoadService,
  user: LoadUser | undefined,
  mark: string = randomUUID(),
): Promise<Outcome> {
  const startedAt = performance.now();
  const body = JSON.stringify({
    query: SUBMIT,
    variables: { input: { job: "echo", parameters: { message: mark } } },
  });
  return new Promise((resolve) => {
    const done = (code: string) => resolve({ mark, code, ms: performance.now() - startedAt });
    const headers = {
      authorization: `Bearer ${user?.token}`,
      "content-type": "application/json",
      "content-length": String(body.length),
    };
    const request = send({ port, agent, path: "/graphql", method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (part) => (text += String(part)));
      response.on("end", () =>
        done(
          (JSON.parse(text) as { errors?: { extensions: { code: string } }[] }).errors?.[0]
            ?.extensions.code ?? "ACCEPTED",
        ),
      );
    });
    request.on("error", (error) => done(String(error)));
    request.end(body);
  });
}

async function marksOf(url: string): Promise<Set<string>> {
  // Submissions from before may be recorded late.
  await pause(5000);
  const sql = postgres(url, { max: 1 });
  const rows = await sql<
    { mark: string }[]
  >`select parameters->>'message' as mark from queued_jobs`;
  await sql.end();
  return new Set(rows.map(({ mark }) => mark));
}

function report(
  outcomes: Outcome[],
  {
    grownKiB,
    recoveredMs,
    recorded,
  }: { grownKiB: number; recoveredMs: number; recorded: Set<string> },
): void {
  const refused = outcomes.filter(({ code }) => code !== "ACCEPTED");
  const times = refused.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (part: number) =>
    `${((times[Math.floor(part * (times.length - 1))] ?? 0) / 1000).toFixed(1)} s`;
  const codes = [...new Set(refused.map(({ code }) => code))];
  say(
    `${outcomes.length} submitted in ${SECONDS} s of a stopped PostgreSQL, ` +
      `${refused.length} refused (${codes.join(", ")})`,
  );
  say(`time to refusal: median ${at(0.5)}, 95th percentile ${at(0.95)}, maximum ${at(1)}`);
  say(
    `${refused.filter(({ mark }) => recorded.has(mark)).length} refused submissions were ` +
      "recorded; " +
      `${outcomes.filter(({ code, mark }) => code === "ACCEPTED" && !recorded.has(mark)).length} ` +
      "accepted ones were not",
  );
  say(
    `the API grew by ${Math.round(grownKiB / 1024)} MiB; it accepted again ` +
      `${recoveredMs} ms after PostgreSQL continued`,
  );
}
