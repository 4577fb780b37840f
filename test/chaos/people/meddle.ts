import { setTimeout as pause } from "node:timers/promises";
import type { Answer } from "./api-client.js";
import type { Accepted } from "./ledger.js";
import type { Person } from "./person.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";

interface Shown {
  id: string;
  version: number;
  status: string;
}

const MUTATIONS = {
  cancel: "mutation ($id: ID!) { answer: cancelQueuedJob(id: $id) { id version status } }",
  retry: "mutation ($id: ID!) { answer: retryQueuedJob(id: $id) { id version status } }",
  delete: "mutation ($id: ID!) { answer: deleteQueuedJob(id: $id) }",
} as const;
type Verb = keyof typeof MUTATIONS;

/**
 * Minimum age of a QueuedJob before its deletion. A repeated submission may hang in a frozen
 * process, and would create a deleted QueuedJob again.
 */
const SETTLED_MS = 15_000;
const RECENT = 40;

/** Cancels, retries and deletes the user's QueuedJobs at random, in any state. */
export async function meddle(
  person: Person,
  options: { random: SeededRandom; violations: Violations; stop: AbortSignal; purges: boolean },
): Promise<void> {
  const { random, violations, stop, purges } = options;
  while (!stop.aborted) {
    await pause(random.int(200, 900));
    const all = [...person.ledger.accepted.values()];
    if (all.length === 0) continue;
    const accepted = random.chance(0.7) ? random.pick(all.slice(-RECENT)) : random.pick(all);
    const verb = random.pick<Verb>(["cancel", "cancel", "retry", "retry", "delete"]);
    if (verb === "delete" && Date.now() - accepted.acceptedAt < SETTLED_MS) continue;
    if (verb === "delete" && accepted.deletion === "none") accepted.deletion = "asked";
    judge(person, accepted, verb, await person.api.ask(MUTATIONS[verb], { id: accepted.id }), {
      violations,
      purges,
    });
  }
}

function judge(
  { ledger }: Person,
  accepted: Accepted,
  verb: Verb,
  answer: Answer<{ answer: Shown | string }>,
  { violations, purges }: { violations: Violations; purges: boolean },
): void {
  if (answer.kind === "unknown") return void ledger.repeats++;
  if (answer.kind === "refused") {
    const allowed =
      answer.code === "CONFLICT" ||
      (answer.code === "NOT_FOUND" && (purges || accepted.deletion !== "none"));
    if (!allowed)
      violations.add("other", `${verb} of ${accepted.id} got ${answer.code}: ${answer.message}`);
    return;
  }
  const shown = answer.data.answer;
  if (typeof shown === "string") accepted.deletion = "answered";
  else ledger.shown.push({ ...shown, by: verb });
}
