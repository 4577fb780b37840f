import { setTimeout as pause } from "node:timers/promises";
import { askUntilAnswered } from "./ask-until-answered.js";
import type { Accepted } from "./ledger.js";
import type { Person } from "./person.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";

interface Input {
  job: Accepted["job"];
  parameters: Record<string, unknown>;
  photoIds?: string[];
  fresh?: boolean;
  priority: number;
  runAt?: string;
  idempotencyKey: string;
}

interface Shown {
  id: string;
  version: number;
  status: string;
}

const ONE =
  "mutation ($input: EnqueueJobInput!) { answer: enqueueJob(input: $input) { id version status } }";
const MANY =
  "mutation ($inputs: [EnqueueJobInput!]!) { answer: enqueueJobs(inputs: $inputs) { id " +
  "version status } }";
/** Longer than any fault. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * Submits until the signal, and repeats each submission until it gets a response. Some submissions
 * are sent again after their response.
 */
export async function submitJobs(
  person: Person,
  options: { random: SeededRandom; violations: Violations; stop: AbortSignal; paceMs: number },
): Promise<void> {
  const { random, violations, stop, paceMs } = options;
  for (let n = 1; !stop.aborted; n++) {
    const size = random.chance(0.08) ? random.int(2, 10) : 1;
    const inputs = Array.from({ length: size }, (_, i) =>
      makeInput(person, random, `${person.name}-${n}-${i}`),
    );
    try {
      const sentAt = Date.now();
      const shown = await send(person, inputs);
      person.ledger.accepts.push({ at: sentAt, ms: Date.now() - sentAt });
      record(person, inputs, shown);
      if (random.chance(0.1)) compare(inputs, shown, await send(person, inputs), violations);
    } catch (error) {
      violations.add(
        "other",
        `the submission of ${inputs.map((input) => input.idempotencyKey).join(", ")} was ` +
          `refused: ${String(error)}`,
      );
    }
    await pause(random.int(Math.round(paceMs / 4), Math.round(paceMs * 1.75)));
  }
}

function makeInput({ photoId }: Person, random: SeededRandom, key: string): Input {
  const common = {
    idempotencyKey: key,
    priority: random.chance(0.2) ? random.int(1, 100) : 0,
    ...(random.chance(0.1) && {
      runAt: new Date(Date.now() + random.int(500, 2500)).toISOString(),
    }),
  };
  if (random.chance(0.04))
    return {
      ...common,
      job: "thumbnail",
      parameters: { widths: [64] },
      photoIds: [photoId],
      fresh: random.chance(0.5),
    };
  const failing = random.chance(0.15)
    ? { failAttempts: random.int(1, 3) }
    : random.chance(0.05) && { failPermanently: true };
  return {
    ...common,
    job: "echo",
    parameters: {
      message: key,
      durationMs: random.int(0, 800),
      steps: random.chance(0.5) ? random.int(1, 8) : 0,
      ...failing,
    },
  };
}

async function send({ api, ledger }: Person, inputs: Input[]): Promise<Shown[]> {
  const [first] = inputs;
  const request =
    inputs.length === 1
      ? { query: ONE, variables: { input: first } }
      : { query: MANY, variables: { inputs } };
  const { answer } = await askUntilAnswered<{ answer: Shown | Shown[] }>(api, {
    ...request,
    deadlineMs: ANSWER_WITHIN_MS,
    onRepeat: () => ledger.repeats++,
  });
  return [answer].flat();
}

function record({ ledger }: Person, inputs: Input[], shown: Shown[]): void {
  for (const [i, { id, version, status }] of shown.entries()) {
    const input = inputs[i];
    if (!input) continue;
    ledger.accepted.set(id, {
      id,
      key: input.idempotencyKey,
      job: input.job,
      parameters: input.parameters,
      immediate: input.runAt === undefined,
      acceptedAt: Date.now(),
      deletion: "none",
    });
    ledger.shown.push({ id, version, status, by: "enqueueJob" });
  }
}

/**
 * Compares two submissions with the same keys directly after each other. Later, the QueuedJob may
 * have been deleted and its key be free.
 */
function compare(inputs: Input[], first: Shown[], second: Shown[], violations: Violations): void {
  for (const [i, input] of inputs.entries()) {
    if (first[i]?.id !== second[i]?.id)
      violations.add(
        "repeated",
        `the key ${input.idempotencyKey} gave ${first[i]?.id} and then ${second[i]?.id}`,
      );
  }
}
